package apimodel

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Models reads the models of services from a folder, each once, when it is first wanted. It may be used by several
// goroutines.
type Models struct {
	dir, file string
	mu        sync.Mutex
	services  map[string]*entry
}

type entry struct {
	once sync.Once
	m    *model
	err  error
}

// Load reads the models of the Go module github.com/aws/aws-sdk-go: dir is the module's folder. Version 1.55.8 has the
// state of July 2024.
func Load(dir string) (*Models, error) {
	return open(filepath.Join(dir, "models", "apis"), "api-2.json")
}

// LoadBotocore reads the models of an installed botocore: dir is the folder of the Python package.
func LoadBotocore(dir string) (*Models, error) {
	return open(filepath.Join(dir, "data"), botocoreFile)
}

const botocoreFile = "service-2.json"

func open(dir, file string) (*Models, error) {
	if st, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("load models: %w", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("load models: %s is no folder", dir)
	}
	return &Models{dir: dir, file: file, services: map[string]*entry{}}, nil
}

// service returns the model of a service by its signing name.
func (ms *Models) service(name string) (*model, error) {
	ms.mu.Lock()
	e := ms.services[name]
	if e == nil {
		e = &entry{}
		ms.services[name] = e
	}
	ms.mu.Unlock()
	e.once.Do(func() { e.m, e.err = ms.read(name) })
	return e.m, e.err
}

// read takes the newest version of the API: the folders are named by date.
func (ms *Models) read(name string) (*model, error) {
	if name == "" || strings.ContainsAny(name, `/\*?[`) {
		return nil, fmt.Errorf("load model: %q is no service", name)
	}
	folder := name
	if other, ok := map[string]string{"servicequotas": "service-quotas", "access-analyzer": "accessanalyzer"}[name]; ok {
		folder = other // the folders of these two are not named like their signatures
	}
	if name == "monitoring" && ms.file == botocoreFile {
		folder = "cloudwatch" // the other models name it like its signature
	}
	files, err := filepath.Glob(filepath.Join(ms.dir, folder, "*", ms.file+"*"))
	if err != nil {
		return nil, fmt.Errorf("load model of %s: %w", name, err)
	}
	files = slices.DeleteFunc(files, func(f string) bool {
		return filepath.Base(f) != ms.file && filepath.Base(f) != ms.file+".gz"
	})
	if len(files) == 0 {
		return nil, fmt.Errorf("load model of %s: none in %s", name, ms.dir)
	}
	text, err := readFile(slices.Max(files))
	if err != nil {
		return nil, fmt.Errorf("load model of %s: %w", name, err)
	}
	return parseModel(name, text)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !strings.HasSuffix(path, ".gz") {
		return io.ReadAll(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
