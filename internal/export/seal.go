package export

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// sealer encrypts a file's content; nil leaves it as it is.
type sealer func([]byte) ([]byte, error)

// recipients parses age recipients: native ones and SSH public keys, and files of them.
func recipients(all []string) (sealer, error) {
	var to []age.Recipient
	for _, text := range all {
		lines := []string{text}
		if name, ok := strings.CutPrefix(text, "@"); ok {
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read age recipients: %w", err)
			}
			lines = strings.Split(string(b), "\n")
		}
		for _, l := range lines {
			l = strings.TrimSpace(l)
			if l == "" || strings.HasPrefix(l, "#") {
				continue
			}
			r, err := recipient(l)
			if err != nil {
				return nil, err
			}
			to = append(to, r)
		}
	}
	if len(all) > 0 && len(to) == 0 {
		return nil, fmt.Errorf("read age recipients: there is none in %s", strings.Join(all, ", "))
	}
	if len(to) == 0 {
		return nil, nil
	}
	return func(plain []byte) ([]byte, error) {
		var b bytes.Buffer
		w, err := age.Encrypt(&b, to...)
		if err != nil {
			return nil, fmt.Errorf("encrypt export: %w", err)
		}
		if _, err := w.Write(plain); err != nil {
			return nil, fmt.Errorf("encrypt export: %w", err)
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("encrypt export: %w", err)
		}
		return b.Bytes(), nil
	}, nil
}

// recipient parses one. What was given is not repeated: somebody may have pasted the secret key instead.
func recipient(text string) (age.Recipient, error) {
	if strings.HasPrefix(text, "ssh-") {
		r, err := agessh.ParseRecipient(text)
		if err != nil {
			return nil, fmt.Errorf("read age recipient: not an SSH public key of type ed25519 or rsa")
		}
		return r, nil
	}
	r, err := age.ParseX25519Recipient(text)
	if err != nil {
		return nil, fmt.Errorf("read age recipient: want age1..., an ssh-ed25519 or ssh-rsa public key, or @FILE")
	}
	return r, nil
}
