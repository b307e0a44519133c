// Package arrows holds the test that keeps the imports pointing one way:
// docs/architecture.md says which way, and why.
package arrows
