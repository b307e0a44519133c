DROP TABLE relabel_template;
DROP TABLE relabel_message;
DROP TABLE relabel_move
