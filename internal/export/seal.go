package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// sealer encrypts a file's content. It does so in memory: what is not encrypted never is in a file.
type sealer func([]byte) ([]byte, error)

// recipients parses age recipients (https://age-encryption.org/v1): native ones, SSH public keys, and files of them, one a line; blank
// lines and those with "#" are comments. No recipients are a nil sealer.
func recipients(all []string) (sealer, error) {
	var to []age.Recipient
	for _, text := range all {
		lines := []string{text}
		name, file := strings.CutPrefix(text, "@")
		if file {
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read age recipients: %w", err)
			}
			lines = strings.Split(string(b), "\n")
		}
		for n, l := range lines {
			l = strings.TrimSpace(l)
			if l == "" || strings.HasPrefix(l, "#") {
				continue
			}
			r, err := recipient(l)
			if err != nil && file {
				return nil, fmt.Errorf("read age recipients: %s, line %d: %w", name, n+1, err)
			}
			if err != nil {
				return nil, fmt.Errorf("read age recipient: %w", err)
			}
			to = append(to, r)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	if len(to) == 0 {
		return nil, errors.New("read age recipients: --encrypt-to names none")
	}
	seal := sealFor(to)
	_, err := seal(nil) // recipients can each be right and not fit together
	return seal, err
}

func sealFor(to []age.Recipient) sealer {
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
	}
}

// recipient parses one. What was given is not repeated: somebody may have pasted the secret key instead.
func recipient(text string) (age.Recipient, error) {
	var r age.Recipient
	var err error
	switch {
	case strings.HasPrefix(text, "ssh-"):
		r, err = agessh.ParseRecipient(text)
	case strings.HasPrefix(text, "age1pq1"):
		r, err = age.ParseHybridRecipient(text)
	case strings.HasPrefix(text, "AGE-SECRET-KEY-"), strings.HasPrefix(text, "-----BEGIN"):
		return nil, errors.New("that is a secret key; give the public one that belongs to it")
	default:
		r, err = age.ParseX25519Recipient(text)
	}
	if err != nil {
		return nil, errors.New("want age1..., an ssh-ed25519 or ssh-rsa public key, or @FILE with one a line")
	}
	return r, nil
}
