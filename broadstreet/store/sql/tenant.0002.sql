-- A device has no name of its own: it is called what its entity is called. Registration has always given the entity the
-- name; a second copy grew old as soon as somebody renamed the entity.
ALTER TABLE device DROP COLUMN title;
