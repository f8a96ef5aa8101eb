-- A token is found by its public id, and ended sessions are found to be forgotten, without reading every token.
CREATE INDEX token_public_id ON token (substring(hash FOR 8));
CREATE INDEX token_ended ON token (expires_at) WHERE kind <> 'api';
