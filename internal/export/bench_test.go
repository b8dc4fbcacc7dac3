package export

import (
	"fmt"
	"path/filepath"
	"testing"
)

// One export of four replies, files and commit, durable; in a repository that is new and in one that holds a thousand exports.
func BenchmarkSave(b *testing.B) {
	for _, before := range []int{0, 1000} {
		b.Run(fmt.Sprint("after ", before), func(b *testing.B) {
			c := Config{Home: filepath.Join(b.TempDir(), "export")}
			for n := range before {
				save(b, c, sample(fmt.Sprint("before-", n)))
			}
			n := 0
			for b.Loop() {
				n++
				save(b, c, sample(fmt.Sprint("r", n)))
			}
		})
	}
}
