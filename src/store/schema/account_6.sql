-- What the source last wanted of the facts, where that is not what stands there: a field in which the two differ was
-- changed by people, and is theirs. NULL where nothing differs.
ALTER TABLE placement ADD COLUMN base TEXT;
ALTER TABLE intent ADD COLUMN base TEXT;
-- What was about to be amended and has no known outcome: a list of facts. Found there, they are our own doing.
ALTER TABLE placement ADD COLUMN begun TEXT;
