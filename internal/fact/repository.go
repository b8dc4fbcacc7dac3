package fact

import (
	"strings"
	"time"
)

// ImageSource is the provider name of source actions that take an image from Amazon ECR.
const ImageSource = "ECR"

// LatestTag is the tag that an ECR source action watches when its configuration names none
// (https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ECR.html).
const LatestTag = "latest"

// Repository is a repository of Amazon ECR.
type Repository struct {
	Seen
	ARN        string   `json:"arn"`
	Name       string   `json:"name"`
	Mutability string   `json:"mutability"`        // MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION
	Filters    []string `json:"filters,omitempty"` // the tags that are excluded from it, with * for any text
}

// The settings of tags (API_PutImageTagMutability).
const (
	TagsMutable          = "MUTABLE"
	TagsImmutable        = "IMMUTABLE"
	TagsImmutableButSome = "IMMUTABLE_WITH_EXCLUSION"
	TagsMutableButSome   = "MUTABLE_WITH_EXCLUSION"
)

// Fixed reports whether a tag may not move once it was pushed; known is false for a setting that the program does not know.
func (r Repository) Fixed(tag string) (fixed, known bool) {
	excluded := false
	for _, f := range r.Filters {
		excluded = excluded || Wildcard(f, tag)
	}
	switch r.Mutability {
	case TagsMutable:
		return false, true
	case TagsImmutable:
		return true, true
	case TagsImmutableButSome:
		return !excluded, true
	case TagsMutableButSome:
		return excluded, true
	}
	return false, false
}

// Field knows "mutability" and, below "fixed/", tags: "yes" when the tag may not move, else "no".
func (r Repository) Field(path string) (string, bool) {
	if tag, ok := strings.CutPrefix(path, "fixed/"); ok {
		fixed, known := r.Fixed(tag)
		return map[bool]string{true: "yes", false: "no"}[fixed], known
	}
	return r.Mutability, path == "mutability"
}

// Image is an image of a repository that carries tags.
type Image struct {
	Seen
	Repository string    `json:"repository"`
	Digest     string    `json:"digest"`
	Tags       []string  `json:"tags"`
	Pushed     time.Time `json:"pushed"` // imagePushedAt; a tag that moved onto it later does not change it
}

// Field knows "digest".
func (i Image) Field(path string) (string, bool) { return i.Digest, path == "digest" }

// RepositoryRef is the Ref of a repository.
func RepositoryRef(scope Scope, name string) Ref {
	return Ref{Scope: scope, Kind: KindRepository, ID: name}
}

// ImageRef is the Ref of what a tag points at.
func ImageRef(scope Scope, repository, tag string) Ref {
	return Ref{Scope: scope, Kind: KindImage, ID: repository + ":" + tag}
}

// Wildcard matches a text with a pattern in which * stands for any text.
func Wildcard(pattern, text string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild || !strings.HasPrefix(text, before) {
		return pattern == text
	}
	text = text[len(before):]
	for i := 0; i <= len(text); i++ {
		if Wildcard(after, text[i:]) {
			return true
		}
	}
	return false
}

// Images yields the stage and action of every ECR source action of a pipeline.
func (p Pipeline) Images(yield func(Stage, Action) bool) {
	for _, s := range p.Stages {
		for _, a := range s.Actions {
			if a.Category == "Source" && a.Owner == "AWS" && a.Provider == ImageSource && a.Repository != "" && !yield(s, a) {
				return
			}
		}
	}
}
