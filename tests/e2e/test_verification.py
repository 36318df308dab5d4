"""An answer can be checked over HTTP by whoever may read it, and by staff."""

from tests.e2e.conftest import Shop


def test_an_answer_can_be_checked_by_its_reader_and_by_staff(shop: Shop) -> None:
    opened = shop.say("How do I clean the Tide grinder?")
    visitor = {"x-opsbot-visitor": opened["visitor"]}
    path = f"/v1/answers/{opened['message_id']}/verify"

    own = shop.client.get(path, headers=visitor)
    stranger = shop.client.get(path)
    customer = shop.client.get(path, headers=shop.sign_in())
    shop.sign_in_staff()
    staff = shop.client.get(path)

    assert own.status_code == 200
    assert own.json()["ok"] is True
    said = [sentence["text"] for sentence in own.json()["sentences"]]
    assert said == [
        opened["text"][proof["text_start"] : proof["text_end"]] for proof in opened["proofs"]
    ]
    assert {sentence["state"] for sentence in own.json()["sentences"]} == {"current"}
    assert all(sentence["url"].startswith("/help/") for sentence in own.json()["sentences"])
    assert stranger.status_code == customer.status_code == 404
    assert staff.json() == own.json()
