package delivery

// Receiver is who judges: a mailbox provider, a security gateway, or a
// company's own server.
type Receiver struct {
	ID   string // stable, lower case: "gmail", "outlook", "docomo", or a domain
	Name string // as people write it: "Gmail", "Outlook.com", "docomo"
	Help string // postmaster or delisting page, "" if none is known
	// Provider is true for a name from providers.toml, false for a domain.
	Provider bool
}

// Position is how far a stream of lines has been read.
type Position struct {
	Stream string // identity of the stream, not its name
	Offset int64  // bytes of uncompressed text
	Line   int64  // lines before Offset
}
