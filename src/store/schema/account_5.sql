-- What placing loses is known before the first byte is sent, and holds too where the placing is found and not answered.
ALTER TABLE intent ADD COLUMN losses TEXT NOT NULL DEFAULT '[]';
