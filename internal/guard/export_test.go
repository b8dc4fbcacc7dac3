package guard

import "github.com/hiddeco/sshsig"

// DecodeSignature is what an armored signature says, for tests.
func DecodeSignature(text string) (string, error) {
	s, err := sshsig.Unarmor([]byte(text))
	if err != nil {
		return "", err
	}
	return string(s.Marshal()), nil
}
