-- When a command was last handed over to whoever fetches: an answer may be lost on its way, and what is offered by MQTT
-- meanwhile says nothing of that.
ALTER TABLE command ADD COLUMN fetched_at timestamptz;
