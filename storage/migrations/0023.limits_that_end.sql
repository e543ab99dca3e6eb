-- A limit may end or change on a day, for some words of its attribute only.
-- depends: 0022.rollup_speed

ALTER TABLE kind_limit ALTER COLUMN value DROP NOT NULL;
COMMENT ON COLUMN kind_limit.value IS 'Null: from this day on there is no limit.';
