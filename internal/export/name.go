package export

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxPart bounds a part of a path: with the digest, the operation and the endings a file name stays below the 255 bytes that file
// systems allow.
const maxPart = 60

// names gives every item of an export a path of its own.
type names map[string]bool

// fileOf is the path of an item below its run's folder: kind/region/name-digest.operation.json. The digest of the ID keeps things
// apart whose names look alike to a file system; a number keeps the pages of one list apart.
func (n names) fileOf(i Item) string {
	region := i.Region
	if region == "" {
		region = "global"
	}
	name := i.ID
	if k := strings.LastIndexAny(name, "/:"); k >= 0 && k+1 < len(name) {
		name = name[k+1:]
	}
	base := path.Join(safe(i.Kind), safe(region), safe(name)+"-"+sum([]byte(i.ID))[:8]+"."+safe(i.Operation))
	end := ".json"
	if bytes.HasPrefix(bytes.TrimSpace(i.Body), []byte("<")) {
		end = ".xml"
	}
	file := base + end
	for k := 2; n[strings.ToLower(file)]; k++ {
		file = base + "." + strconv.Itoa(k) + end
	}
	n[strings.ToLower(file)] = true
	return file
}

// safe is a text as a part of a path on any system: ASCII letters, digits, inner dashes and underscores, never empty, never longer
// than maxPart, and none of the names that Windows keeps for devices
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file). Different texts can become the same part.
func safe(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-' && b.Len() > 0:
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		if b.Len() == maxPart {
			break
		}
	}
	if b.Len() == 0 || slices.Contains(devices, strings.ToUpper(b.String())) {
		b.WriteByte('_')
	}
	return b.String()
}

var devices = []string{
	"CON", "PRN", "AUX", "NUL", "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
	"LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
}
