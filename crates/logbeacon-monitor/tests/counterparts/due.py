"""Says when cronsim thinks a job is due: for each line of JSON with zone, expression, from and to
(seconds since 1970, from excluded) one line with the list of due seconds."""
import json
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim

for line in sys.stdin:
    job = json.loads(line)
    zone = ZoneInfo(job["zone"])
    start = datetime.fromtimestamp(job["from"], timezone.utc).astimezone(zone)
    due = []
    for moment in CronSim(job["expression"], start):
        second = int(moment.timestamp())
        if second > job["to"]:
            break
        due.append(second)
    print(json.dumps(due))
