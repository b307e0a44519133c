-- Attempts are booked as their reply now reads.
UPDATE event SET template = m.new_template, class = m.new_class
FROM relabel_move m
WHERE event.attempted AND event.template = m.template AND event.receiver = m.receiver
  AND event.status = m.status AND event.class = m.class
