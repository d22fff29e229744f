//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/wsfleet/wsfleet/loadtest/report"
	"github.com/wsfleet/wsfleet/loadtest/report/html"
)

// writeOutputs writes the report where -json and -html say.
func (p *plan) writeOutputs(r *report.Report) error {
	return errors.Join(p.writeJSON(r), writeHTML(r, "-html", p.cfg.HTML))
}

func (p *plan) writeJSON(r *report.Report) error {
	if p.cfg.JSON == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	b = append(b, '\n')
	if p.cfg.jsonOut != nil {
		_, err = p.cfg.jsonOut.Write(b)
	} else {
		err = os.WriteFile(p.cfg.JSON, b, 0o644)
	}
	return outputError("-json", p.cfg.JSON, err)
}

func writeHTML(r *report.Report, name, file string) error {
	if file == "" {
		return nil
	}
	var page bytes.Buffer
	if err := html.Write(&page, r); err != nil {
		return err
	}
	return outputError(name, file, os.WriteFile(file, page.Bytes(), 0o644))
}

// checkOutputs finds out before the run, not after it, whether the report can be
// written.
func (p *plan) checkOutputs() error {
	for name, file := range map[string]string{"-json": p.cfg.JSON, "-html": p.cfg.HTML} {
		if file == "" || name == "-json" && p.cfg.jsonOut != nil {
			continue
		}
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
		if err == nil {
			err = f.Close()
		}
		if err := outputError(name, file, err); err != nil {
			return err
		}
	}
	return nil
}

func outputError(name, file string, err error) error {
	if err == nil {
		return nil
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s %q: %w", name, file, err)
}
