package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/unjam/unjam/internal/awsapi"
	"github.com/unjam/unjam/internal/fact"
)

// maxRegions is how many other Regions are asked for a pipeline that is not where it was looked for: the Regions that every account
// has enabled are seventeen.
const maxRegions = 17

// elsewhere are the other enabled Regions that have a pipeline of a name, in order; nothing where they cannot be listed.
func (a *App) elsewhere(ctx context.Context, account, region, name string) []string {
	ctx = awsapi.AtOnce(ctx)
	enabled, err := a.enabledRegions(ctx, account, fact.NewBuilder(fact.Question{}))
	if err != nil {
		return nil
	}
	var queries []fact.Query
	for _, r := range enabled {
		if r != region && len(queries) < maxRegions {
			queries = append(queries, fact.Query{Scope: fact.Scope{Account: account, Region: r}, Kind: fact.KindPipelineList})
		}
	}
	b := fact.NewBuilder(fact.Question{})
	a.collector.Collect(ctx, b, queries)
	s := b.Seal(time.Now())
	var found []string
	for l := range fact.All[fact.PipelineListed](s) {
		if l.Ref().ID == name {
			found = append(found, l.Ref().Scope.Region)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Near are at most three names that look like a name, the likest first: with few letters different, or the one in the other; case
// does not count. Names that are much less alike than the first are left out.
func Near(name string, names []string) []string {
	type alike struct {
		name string
		far  int
	}
	low := strings.ToLower(name)
	var all []alike
	for _, n := range names {
		l := strings.ToLower(n)
		far := distance(low, l)
		switch {
		case far <= slips(len(low)):
		case strings.Contains(l, low), strings.Contains(low, l), len(low) >= 3 && strings.HasPrefix(l, low[:3]):
			far += len(low) // less alike than a slip of the hand
		default:
			continue
		}
		all = append(all, alike{n, far})
	}
	slices.SortFunc(all, func(x, y alike) int { return cmp.Or(cmp.Compare(x.far, y.far), cmp.Compare(x.name, y.name)) })
	var out []string
	for _, a := range all[:min(len(all), 3)] {
		if a.far <= all[0].far+2 {
			out = append(out, a.name)
		}
	}
	return out
}

// slips is how many slips of the hand a name of a length may hold: two swapped letters are two.
func slips(length int) int {
	if length < 3 {
		return 1
	}
	return max(2, length/3)
}

// distance is how many letters have to be put in, taken out or changed to make one text the other (Levenshtein).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			up := row[j+1]
			change := diagonal
			if x[i] != y[j] {
				change++
			}
			row[j+1] = min(change, up+1, row[j]+1)
			diagonal = up
		}
	}
	return row[len(y)]
}
