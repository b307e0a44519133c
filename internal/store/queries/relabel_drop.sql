DROP TABLE relabel_template;
DROP TABLE relabel_message;
DROP TABLE relabel_move;
DROP TABLE relabel_since;
DROP TABLE relabel_replies
