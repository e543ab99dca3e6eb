-- Where people reach the console, for links from the boards.
-- depends: 0040.console

CREATE TABLE console_address (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    url       text NOT NULL
);
COMMENT ON TABLE console_address IS 'Where people reach the console: the setting console_url as of the latest cityward migrate.';
