package cli_test

import (
	"crypto/ed25519"
	"encoding/pem"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// keygen NAME PRINCIPAL writes an SSH key, its public half NAME.pub, and its line of allowed signers NAME.line.
func keygen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keygen NAME PRINCIPAL")
	}
	public, private, err := ed25519.GenerateKey(nil)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(private, "")
	ts.Check(err)
	pub, err := ssh.NewPublicKey(public)
	ts.Check(err)
	line := string(ssh.MarshalAuthorizedKey(pub))
	for name, text := range map[string]string{"": string(pem.EncodeToMemory(block)), ".pub": line, ".line": args[1] + " namespaces=\"unjam-approval\" " + line} {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+name), []byte(text), 0o600))
	}
}
