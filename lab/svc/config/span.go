package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// week is how much of a history one call of GetResourceConfigHistory covers at most: pages may be short or empty and still have
// a next one. https://docs.aws.amazon.com/config/latest/APIReference/API_GetResourceConfigHistory.html
const week = 7 * 24 * time.Hour

// span is the part of a history that a request asks for, and where the call at hand begins.
type span struct {
	earliest, latest time.Time
	forward          bool
	edge             time.Time // where this call's week begins, in the order of the reply
	skip             int       // items of that week that were given out before
}

// span reads what a request asks for.
func (s *Service) span(r *cloud.Request, h *history) (span, error) {
	w := span{earliest: timeOf(r.In["earlierTime"], h.items[0].at), latest: timeOf(r.In["laterTime"], s.c.Now())}
	if w.latest.Before(w.earliest) && r.In["earlierTime"] != nil {
		return w, cloud.Errorf("InvalidTimeRangeException", "The specified time range is not valid. The earlier time is not chronologically before the later time.")
	}
	switch order := r.Str("chronologicalOrder"); order {
	case "", "Reverse":
		w.edge = w.latest
	case "Forward":
		w.forward, w.edge = true, w.earliest
	default:
		return w, cloud.Errorf(cloud.ValidationError, "1 validation error detected: Value '%s' at 'chronologicalOrder' failed to satisfy constraint: Member must satisfy enum value set: [Reverse, Forward]", order)
	}
	if token := r.Str("nextToken"); token != "" {
		var edge int64
		if n, err := fmt.Sscanf(token, "lab-week-%d-%d", &edge, &w.skip); n != 2 || err != nil || w.skip < 0 {
			return w, cloud.Errorf("InvalidNextTokenException", "The specified next token is not valid.")
		}
		w.edge = time.Unix(0, edge).UTC()
	}
	return w, nil
}

// page takes up to n items of the week at hand, and says how to go on; "" at the end.
func (w span) page(items []item, n int) ([]item, string) {
	var now []item
	more := false
	for _, i := range items {
		if i.at.Before(w.earliest) || i.at.After(w.latest) {
			continue
		}
		past := i.at.Sub(w.edge) // how far into the week, in the order of the reply
		if !w.forward {
			past = -past
		}
		switch {
		case past < 0:
		case past < week:
			now = append(now, i)
		default:
			more = true
		}
	}
	if !w.forward {
		slices.Reverse(now)
	}
	now = now[min(w.skip, len(now)):]
	if len(now) > n {
		return now[:n], fmt.Sprintf("lab-week-%d-%d", w.edge.UnixNano(), w.skip+n)
	}
	if !more {
		return now, ""
	}
	next := w.edge.Add(week)
	if !w.forward {
		next = w.edge.Add(-week)
	}
	return now, fmt.Sprintf("lab-week-%d-0", next.UnixNano())
}
