package guard

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Key signs approvals. Close it.
type Key struct {
	signer ssh.Signer
	agent  net.Conn // nil: the key is a file
}

// ErrPassphrase says that a key is protected and there is nobody to ask.
var ErrPassphrase = errors.New("the key is protected by a passphrase: sign at a terminal, or give the .pub file and let ssh-agent sign")

// OpenKey opens a private key file, or for a .pub file its key in the SSH agent at socket (SSH_AUTH_SOCK). passphrase is asked for a
// protected key; nil: ErrPassphrase.
func OpenKey(file, socket string, passphrase func() ([]byte, error)) (*Key, error) {
	text, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if strings.HasSuffix(file, ".pub") {
		return agentKey(file, text, socket)
	}
	s, err := ssh.ParsePrivateKey(text)
	var protected *ssh.PassphraseMissingError
	if errors.As(err, &protected) {
		if passphrase == nil {
			return nil, fmt.Errorf("read key %s: %w", file, ErrPassphrase)
		}
		secret, asked := passphrase()
		if asked != nil {
			return nil, fmt.Errorf("read key %s: passphrase: %w", file, asked)
		}
		s, err = ssh.ParsePrivateKeyWithPassphrase(text, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", file, err)
	}
	if err := strong(s.PublicKey()); err != nil {
		return nil, fmt.Errorf("read key %s: %w", file, err)
	}
	return &Key{signer: s}, nil
}

// agentKey finds a public key among those of the agent.
func agentKey(file string, text []byte, socket string) (*Key, error) {
	want, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil, fmt.Errorf("read key %s: it is no public key", file)
	}
	if err := strong(want); err != nil {
		return nil, fmt.Errorf("read key %s: %w", file, err)
	}
	if socket == "" {
		return nil, fmt.Errorf("read key %s: it is a public key, and no ssh-agent runs (SSH_AUTH_SOCK is not set)", file)
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("ask ssh-agent: %w", err)
	}
	all, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask ssh-agent: %w", err), conn.Close())
	}
	for _, s := range all {
		if bytes.Equal(s.PublicKey().Marshal(), want.Marshal()) {
			return &Key{signer: s, agent: conn}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("ask ssh-agent: it does not have the key of %s: ssh-add it", file), conn.Close())
}

// Sign is the approval with the key's signature.
func (k *Key) Sign(a Approval) (Approval, error) {
	sig, err := sshsig.Sign(bytes.NewReader(a.Payload()), k.signer, sshsig.HashSHA512, Namespace)
	if err != nil {
		return a, fmt.Errorf("sign approval: %w", err)
	}
	a.Signature = string(sshsig.Armor(sig))
	return a, nil
}

// Close ends the conversation with the agent.
func (k *Key) Close() error {
	if k.agent == nil {
		return nil
	}
	return k.agent.Close()
}
