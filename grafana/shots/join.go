package shots

import (
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// join makes one row of the series that agree in all labels which every query has, as Grafana's "merge" does.
func join(all []*series, queries int) *grid {
	var labels, refs []string
	for _, s := range all {
		for name := range s.labels {
			if name != model.MetricNameLabel && !slices.Contains(labels, string(name)) {
				labels = append(labels, string(name))
			}
		}
		if !slices.Contains(refs, s.refID) {
			refs = append(refs, s.refID)
		}
	}
	slices.Sort(labels)
	common := slices.DeleteFunc(slices.Clone(labels), func(l string) bool {
		return slices.ContainsFunc(all, func(s *series) bool { return s.labels[model.LabelName(l)] == "" })
	})

	g := &grid{}
	for _, l := range labels {
		g.columns = append(g.columns, column{source: l, name: l})
	}
	for _, ref := range refs {
		name := "Value"
		if queries > 1 {
			name += " #" + ref
		}
		g.columns = append(g.columns, column{source: name, name: name, number: true})
	}
	rows := map[string][]cell{}
	for _, s := range all {
		column := len(labels) + slices.Index(refs, s.refID)
		key := s.key(common)
		row := rows[key]
		if row == nil || !math.IsNaN(row[column].value) { // none yet, or another series of this query has it
			row = make([]cell, len(g.columns))
			for i := range row {
				row[i] = cell{value: math.NaN(), label: i < len(labels)}
			}
			rows[key] = row
			g.rows = append(g.rows, row)
		}
		for i, l := range labels {
			if v := s.labels[model.LabelName(l)]; v != "" {
				row[i].text = string(v)
			}
		}
		row[column].value, _ = reduce(s.values, "lastNotNull")
	}
	return g
}

// key tells series apart by some of their labels.
func (s *series) key(labels []string) string {
	values := make([]string, len(labels))
	for i, l := range labels {
		values[i] = string(s.labels[model.LabelName(l)])
	}
	return strings.Join(values, "\x00")
}
