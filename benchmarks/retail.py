"""Whether a whole retail shop's day can be done with our records, tools and proposals.

The shop is the retail domain of tau-bench (MIT): 500 customers, 1,000 orders, 50 products with 591
variants. Its rules (one change of the items, a gift card must cover the difference, identification
by e-mail or by name and postcode) are policy files that this benchmark writes.

    python benchmarks/retail.py replay --data DIR --split tau1_train|tau1_dev|tau3_dev_safe
    python benchmarks/retail.py serve --data DIR --into FOLDER [--port 8000]
    python benchmarks/retail.py export --from FOLDER
    python benchmarks/retail.py converse --data DIR --split tau_transcript_turns.dev

`replay` loads the shop anew for each task, identifies the customer, makes each goal a proposal and
confirms it, exports the records and compares them with what the data expects: amounts to half a
cent, lists of ids whatever their order. Tasks whose flags say that they exchange an item for
itself, or that their own solution failed, are left out of `goals`; of those with the latter flag
alone, `refusals` says in how many we refuse the same steps. Last line:
`{"goals", "match", "mismatch": [ids], "refusals"}`.

`serve` runs the shop behind the HTTP API; whoever begins a conversation without a token is a
visitor who has not said who they are. `export` writes the records in the shop's shape as JSON.

`converse` plays what recorded customers wrote, turn by turn, over HTTP. Last line: tasks; the
shares solved, solved_nontrivial (of those that change something) and floor (solved by doing
nothing); wrong_write_rate (a record changed that should not have, or otherwise than it should
have; what was left undone is unsolved); violations (changes without an explicit yes, before
identification, or on another's order); handoff_rate, turns_median.
"""

import argparse
import json
import sys
from pathlib import Path

from retail_converse import converse
from retail_replay import replay
from retail_serve import export, serve

from opsbot.channels.dependencies import utc_now


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("replay", "converse"):
        command = commands.add_parser(name)
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--split", required=True)
    command = commands.add_parser("serve")
    command.add_argument("--data", type=Path, required=True)
    command.add_argument("--into", type=Path, required=True)
    command.add_argument("--port", type=int, default=8000)
    command = commands.add_parser("export")
    command.add_argument("--from", dest="folder", type=Path, required=True)
    asked = parser.parse_args()
    now = utc_now()
    if asked.command == "replay":
        print(json.dumps(replay(asked.data, asked.split, now=now)))
    elif asked.command == "converse":
        print(json.dumps(converse(asked.data, asked.split)))
    elif asked.command == "serve":
        serve(asked.data, asked.into, port=asked.port, now=now)
    else:
        json.dump(export(asked.folder), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
