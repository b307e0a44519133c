-- What a change of the rules moves. Dropped again in the same transaction.
CREATE TEMP TABLE relabel_template (id INTEGER);
CREATE TEMP TABLE relabel_message (id BIGINT);
CREATE TEMP TABLE relabel_move (
  template INTEGER, receiver INTEGER, status UTINYINT, class UTINYINT,
  new_template INTEGER, new_class UTINYINT, was_listed BOOLEAN, is_listed BOOLEAN
)
