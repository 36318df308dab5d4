"""What staff write, and which tool it means. None of it stands in a tool's own examples.

Several tools separated by `|` would all be right.
"""

STAFF = {
    "order_queue": [
        "show the queue of open orders",
        "what waits to be packed and why",
        "which open orders are unpaid",
    ],
    "hold_order": ["put #2087 on hold because the address is wrong", "please hold order #1999"],
    "release_order": ["take order #2087 off hold", "release #1999 again"],
    "draft_reply": [
        "draft an answer for case CS-00019",
        "write a reply to Ana Costa about the lamp",
        "prepare an answer to CS-00044 saying we are sorry",
    ],
    "send_reply": ["send out draft 14", "mail the draft number 5 please"],
    "split_order": [
        "split #2087, the mug follows later",
        "send what we have of #1999 and keep the rest for later",
    ],
    "change_bom": [
        "add 2 screws to the parts list of the walnut lamp",
        "remove the felt pad from the BOM of the oak tray",
        "change the clay of the dinner plate to 600 g in its bill of materials",
    ],
    "ship_order": ["ship #2050 now", "pack order #2051 and make the label"],
    "advise_packaging": ["which carton for order #2052", "what box do we use for #2053"],
    "market_readiness": [
        "may we sell the Arc in Switzerland and what papers does it need",
        "how ready are we for Japan",
        "what do we need to sell mugs in the UK",
    ],
    "partner": ["how much does our partner in Lyon sell", "give me the terms of Lichtblick"],
    "survey_results|query_metric": [
        "what is our NPS this year",
        "did customer satisfaction really go up?",
    ],
    "feedback_topics": [
        "what do people complain about since the new packaging",
        "main topics in the customer comments of this quarter",
    ],
    "knowledge_gaps": [
        "what do people ask that no article answers",
        "show the gaps in our manuals",
    ],
    "improvements": ["how are our improvements going", "did the improvements work?"],
    "daily_brief": [
        "what do I have to look at this morning?",
        "brief me on today",
    ],
    "cases": [
        "what cases are overdue right now",
        "list everything urgent in the case queue",
        "do we have open privacy requests?",
        "cases nobody has picked up",
        "show the open support cases",
    ],
    "update_case": [
        "please close CS-00017",
        "I'll take case CS-00031",
        "mark CS-00005 as resolved",
        "reopen case CS-00044",
        "CS-00002 is urgent",
    ],
    "late_orders": [
        "what's late today",
        "orders past their due date",
        "anything we'll fail to ship on time",
        "what is overdue for shipping",
        "which orders should be out already",
    ],
    "late_shipments": [
        "parcels that don't move",
        "which packages have not been scanned lately",
        "deliveries behind schedule at the carrier",
        "any lost parcels?",
    ],
    "order_overview": [
        "tell me about #1007",
        "who bought 1010",
        "what's holding up order 1005",
        "open order 1012",
    ],
    "customer_overview": [
        "what do we know about mia@example.org",
        "show customer C-1004",
        "history of jo@example.net",
        "has kim@example.com bought from us before",
    ],
    "stock_of": [
        "how many tote bags are left",
        "stock level of the sage Ember lamp",
        "inventory for the travel mug",
        "do we have walnut coasters on the shelf",
        "how much LL-MUG-01-SLT is there",
    ],
    "runs_out": [
        "what will we run short of in 21 days",
        "what do I need to reorder",
        "which products are nearly gone",
        "which items will sell out before the end of the month",
    ],
    "forecast_demand": [
        "what will we sell of the tote bag in December",
        "forecast LL-MUG-01-MOS",
        "how many Halo lamps should we expect to sell in 6 weeks",
        "demand outlook for coffee gear",
        "will notebooks sell more next month",
    ],
    "runs_out|replenishment": [
        "where are we below the reorder point",
    ],
    "inspection_plan": [
        "how big is the sample for 800 parts",
        "AQL table for a delivery of 3,000",
        "how many of a batch of 600 must be checked",
    ],
    "replenishment": [
        "what should I buy from Papier Havel",
        "order proposals by supplier please",
    ],
    "jit_plan": [
        "until when must the boards for production be ordered",
        "material order dates for the planned work orders",
    ],
    "production_plan": [
        "are any work orders behind",
        "list what is being produced at the moment",
    ],
    "production_plan|capacity": ["what is the workshop busy with"],
    "production_plan|jit_plan": ["work orders without parts"],
    "capacity": [
        "is the kiln full next week",
        "can the assembly bench take any more work",
        "where is the bottleneck in the workshop",
        "effect of 350 extra tote sized notebooks on our load",
    ],
    "can_we_make": [
        "are 90 ink mugs possible by 10 January",
        "do it ourselves or outsource: 150 oak bases",
        "when would 60 Drift lamps be finished",
    ],
    "explode_bom": [
        "parts list of the Arc floor lamp in black",
        "what is an oak coaster set made from",
    ],
    "where_used": [
        "what do we use linen fabric for",
        "in which lamps do we use the opal glass globe",
    ],
    "stock_ledger": [
        "moves of the sand lantern this quarter",
        "all moves of the salt espresso cups in October",
    ],
    "inventory_health": [
        "how much capital lies in our shelves",
        "which goods are dead stock",
    ],
    "inventory_health|query_metric": ["how many times does our stock turn"],
    "quality|query_metric": ["what is our scrap rate"],
    "quality": [
        "which faults did we have most this year",
        "yield in production last month",
        "most frequent faults of the notebooks",
    ],
    "trace_lot": [
        "who bought something from LOT-00133",
        "where did batch 210 end up",
    ],
    "adjust_stock": [
        "please book out one broken Tide grinder in white",
        "four navy pouches turned up, add them",
    ],
    "transfer_stock": [
        "take 15 dotted notebooks over to the store",
        "bring 2 terracotta Ember lamps from the store to the warehouse",
    ],
    "count_stock": [
        "counted 64 dinner plates in salt",
        "my count of the daypack in olive is 12",
    ],
    "set_stock_policy": [
        "reorder point of the clay mug to 35 please",
        "set min 10 and max 40 for the walnut coasters",
    ],
    "create_work_order": [
        "plan the production of 70 ink plates",
        "make a work order: 15 small Drift lamps",
    ],
    "release_work_order": [
        "WO-00238 may begin",
        "release 241 to the workshop, it is a work order",
    ],
    "report_production": [
        "WO-00230: 14 good, 1 scrap",
        "we finished 22 good ones on WO-00231",
    ],
    "complete_work_order": [
        "everything of WO-00230 is done, put it on stock",
        "complete WO-00229",
    ],
    "change_work_order": [
        "halt WO-00228",
        "cancel the work order WO-00243",
    ],
    "draft_purchase_order": [
        "buy 40 oak blanks",
        "make a purchase order for Kiln & Co from what is missing",
    ],
    "approve_purchase_order": [
        "PO-00125 is approved",
        "send PO-00126 out",
    ],
    "receive_purchase_order": [
        "goods of PO-00121 have arrived",
        "book the receipt of PO-00119, 2 rejected",
    ],
    "change_purchase_order": [
        "hold PO-00122 for now",
        "PO-00123 was confirmed by the supplier",
    ],
    "record_inspection": [
        "sample of LOT-00455 had 2 major and 1 minor",
        "enter the check of lot 460: 0 critical, 1 major",
    ],
    "block_lot": [
        "nobody may use LOT-00455",
        "lock batch 460, the glaze is wrong",
    ],
    "release_lot": [
        "release LOT-00455, it is fine",
        "unlock lot 460",
    ],
    "safety_stock": [
        "safety stock for the Ember lamp at 97 %",
        "how large a buffer for the daypack",
        "is the safety stock of the bud vase enough",
        "reorder point for coasters",
    ],
    "safety_stock|runs_out": [
        "when should we reorder the kettle, at what level",
    ],
    "purchase_orders": [
        "what's outstanding at Nordlicht",
        "POs past their date",
        "when do the purchase orders arrive",
        "list of open POs",
    ],
    "supplier_scorecard": [
        "which vendor is the most punctual",
        "how good is Papier Havel",
        "supplier ratings this year",
        "do our suppliers keep their lead times",
    ],
    "returns_by_reason": [
        "why are things coming back",
        "reasons people send stuff back",
        "main causes of returns",
        "why do customers return the Ember lamp",
    ],
    "query_metric": [
        "revenue per month",
        "how did sales do last year",
        "otif by carrier",
        "return rate last quarter",
        "how many orders did we get last month",
        "average basket by country",
        "compare turnover with the previous month",
        "how long from order to delivery lately",
    ],
    "search_staff_articles": [
        "how should I wrap a lamp",
        "what's the procedure for a damaged return",
        "which temperature do we fire the moss glaze at",
        "up to what amount can I give goodwill",
        "how do I grade an opened daypack",
    ],
}
