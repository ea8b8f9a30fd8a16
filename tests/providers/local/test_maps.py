"""Maps on this machine: their items, whatever these hold, and what is gathered."""

from __future__ import annotations

from tests.kinds_for_tests import files
from tests.specs_for_tests import Shop


def test_a_map_runs_every_item_and_gathers(shop: Shop) -> None:
    shop.file("word.txt", "hello")
    run = shop.run("""
        datasets: {word: {type: file, path: word.txt}}
        steps:
          each:
            kind: map
            over: {items: [{key: "NO", depth: 4}, {key: NL, depth: 6}]}
            run: |
              echo $MODE ${{ item.depth }} | paste -d ' ' - ${{ inputs.word }} > ${{ outputs.text }}
              echo "{\\"depth\\": ${{ item.depth }}}" > ${{ outputs.report }}
              touch ${{ outputs.model }}/${{ inputs.name }}
            env: {MODE: "fast ${{ item.key }}"}
            inputs: {word: "${{ datasets.word }}", name: "w-${{ item.key }}"}
            outputs: {text: {type: file, file: text.txt}, report: metrics, model: model}
          all:
            run: cat ${{ inputs.texts }}/*/text.txt
            inputs: {texts: "${{ steps.each.outputs.text }}"}
    """)

    assert run.states == {"each": "succeeded", "all": "succeeded"}
    assert files(run.output("each", "text")) == {
        "NL/text.txt": "fast NL 6 hello\n",
        "NO/text.txt": "fast NO 4 hello\n",
    }
    assert files(run.output("each", "report")) == {
        "NL/report.json": '{"depth": 6}\n',
        "NO/report.json": '{"depth": 4}\n',
    }
    assert files(run.output("each", "model")) == {"NL/w-NL": "", "NO/w-NO": ""}
    assert shop.lines("all") == ["fast NL 6 hello", "fast NO 4 hello"]
    assert run.steps["each"].message == "2 of 2 items succeeded"


def test_a_map_goes_over_a_range(shop: Shop) -> None:
    run = shop.run("""
        steps:
          each:
            kind: map
            over: {range: {start: 2, stop: 6, step: 2}}
            run: echo ${{ item }} > ${{ outputs.o }}
            outputs: {o: file}
    """)

    assert files(run.output("each", "o")) == {"2/o": "2\n", "4/o": "4\n"}


def test_values_of_items_reach_the_script_exactly(shop: Shop) -> None:
    shop.file("src/put.py", "import sys\nopen(sys.argv[1], 'w').write('|'.join(sys.argv[2:]))\n")

    run = shop.run(
        """
        steps:
          shell:
            kind: map
            over: &all
              items:
                - {key: quote, text: "it's \\"so\\""}
                - {key: command, text: "$(touch x) `touch y` $HOME"}
                - {key: lines, text: "two\\nlines\\n"}
                - {key: empty, text: ""}
                - {key: star, text: "a b  *"}
                - {key: braces, text: "{item} ${{ '${{ item }}' }}"}
            run: python3 put.py ${{ outputs.o }} ${{ item.text }} "<${{ item.text }}>" $TEXT ${{ inputs.made }}
            env: {TEXT: "none"}
            inputs: {made: "[${{ item.text }}]"}
            code: src
            outputs: {o: file}
          words:
            kind: map
            over: *all
            run: [python3, put.py, "${{ outputs.o }}", "${{ item.text }}", "<${{ item.text }}>"]
            code: src
            outputs: {o: file}
    """.replace("${{ '${{ item }}' }}", "$x")
    )

    texts = {
        "quote": 'it\'s "so"',
        "command": "$(touch x) `touch y` $HOME",
        "lines": "two\nlines\n",
        "empty": "",
        "star": "a b  *",
        "braces": "{item} $x",
    }
    assert run.succeeded, run.record.message
    assert files(run.output("shell", "o")) == {
        f"{key}/o": f"{text}|<{text}>|none|[{text}]" for key, text in sorted(texts.items())
    }
    assert files(run.output("words", "o")) == {
        f"{key}/o": f"{text}|<{text}>" for key, text in sorted(texts.items())
    }


TOLERANT = """
    steps:
      each:
        kind: map
        over: {items: [a, b, c, d]}
        parallel: 1
        tolerate: TOLERATED
        run: |
          echo half > ${{ outputs.o }}
          case ${{ item }} in [BAD]) exit 3;; esac
        outputs: {o: file}
      next:
        run: ls ${{ inputs.all }}
        inputs: {all: "${{ steps.each.outputs.o }}"}
"""


def test_failed_items_leave_no_subfolder(shop: Shop) -> None:
    run = shop.run(TOLERANT.replace("TOLERATED", "2").replace("BAD", "bd"))

    assert run.succeeded
    assert shop.lines("next") == ["a", "c"]
    told = "2 of 4 items succeeded; failed: b (exit 3), d (exit 3)"
    assert shop.lines("each")[-1] == f"penstock: {told}"
    assert run.steps["each"].message == told
    assert shop.run().steps["each"].message == told


def test_one_failure_more_than_tolerated_fails_the_map(shop: Shop) -> None:
    run = shop.run(TOLERANT.replace("TOLERATED", "1").replace("BAD", "abd"))

    assert run.states == {"each": "failed", "next": "upstream_failed"}
    # Nothing new begins once it is lost.
    assert shop.lines("each")[-1].endswith("failed: a (exit 3), b (exit 3); not started: 2")
    assert run.steps["each"].message == (
        "0 of 4 items succeeded; failed: a (exit 3), b (exit 3); not started: 2 [P401]"
    )


def test_no_more_items_run_at_once_than_asked_for(shop: Shop) -> None:
    marks = shop.file("marks")

    shop.run(f"""
        steps:
          each:
            kind: map
            over: {{range: 6}}
            parallel: 2
            run: echo + >> {marks}; sleep 0.04; echo - >> {marks}; touch ${{{{ outputs.o }}}}; true ${{{{ item }}}}
            outputs: {{o: file}}
    """)

    seen = marks.read_text().split()
    assert len(seen) == 12
    assert max(seen[:end].count("+") - seen[:end].count("-") for end in range(12)) == 2


def test_a_map_over_nothing_leaves_empty_folders(shop: Shop) -> None:
    (shop.folder / "none").mkdir()
    run = shop.run("""
        datasets: {fs: {type: folder, path: none}}
        steps:
          each:
            kind: map
            over: {files: "${{ datasets.fs }}"}
            run: cp ${{ item }} ${{ outputs.o }}
            outputs: {o: file}
          next:
            run: ls ${{ inputs.all }} | wc -l
            inputs: {all: "${{ steps.each.outputs.o }}"}
    """)

    assert run.succeeded, run.record.message
    assert shop.lines("next") == ["0"]
    assert run.steps["each"].message == "there are no items; the outputs stay empty"


ODD = ("a b.txt", "it's.txt", "$(touch x).txt", "-n.txt", "ü.txt", "sub/deep.txt", "sub.deep.txt", "x;y.txt")


def test_a_map_goes_over_files_whatever_their_names(shop: Shop) -> None:
    for name in ODD:
        shop.file(f"data/{name}", name)

    run = shop.run("""
        datasets: {fs: {type: folder, path: data}}
        steps:
          each:
            kind: map
            over: {files: "${{ datasets.fs }}"}
            run: cp -- ${{ item }} ${{ outputs.o }}
            outputs: {o: {type: file, file: copy}}
    """)

    made = files(run.output("each", "o"))
    assert run.succeeded, run.record.message
    assert sorted(made.values()) == sorted(ODD)
    assert len(made) == len(ODD)
    assert all(path.endswith("/copy") and path.count("/") == 1 for path in made)


def test_a_map_goes_over_files_in_batches(shop: Shop) -> None:
    for name in ("e", "a", "c", "b", "d"):
        shop.file(f"data/{name}.txt", name)

    run = shop.run("""
        datasets: {fs: {type: folder, path: data}}
        steps:
          each:
            kind: map
            over: {files: "${{ datasets.fs }}", batch: 2}
            run: cat ${{ item }}/* > ${{ outputs.o }}/all
            outputs: {o: folder}
    """)

    # In the order of the names: the same files always make the same batches.
    assert sorted(files(run.output("each", "o")).values()) == ["ab", "cd", "e"]


def test_a_map_goes_over_the_groups_of_a_table(shop: Shop) -> None:
    shop.file("table/1.csv", "country,year,n\nNO,1,10\nNL,1,20\nNO,2,30\n")
    shop.file("table/2.csv", 'country,year,n\nNO,1,40\n"a ""b"", c",1,50\n')

    run = shop.run("""
        datasets: {rows: {type: table, path: table}}
        steps:
          each:
            kind: map
            over: {table: "${{ datasets.rows }}", by: [country, year]}
            run: |
              echo ${{ item.country }}, ${{ item.year }} > ${{ outputs.o }}
              cat ${{ item }}/*.csv | grep -v country | tr -d '\\r' >> ${{ outputs.o }}
            outputs: {o: file}
    """)

    assert run.succeeded, run.record.message
    assert sorted(files(run.output("each", "o")).values(), key=str.lower) == [
        'a "b", c, 1\n"a ""b"", c",1,50\n',
        "NL, 1\nNL,1,20\n",
        "NO, 1\nNO,1,10\nNO,1,40\n",
        "NO, 2\nNO,2,30\n",
    ]


def test_a_map_is_a_hit_until_an_item_changes(shop: Shop) -> None:
    spec = TOLERANT.replace("TOLERATED", "0").replace("BAD", "z")
    shop.run(spec)

    assert {name: each.cache for name, each in shop.run().steps.items()} == {"each": "hit", "next": "hit"}
    run = shop.run(spec.replace("[a, b, c, d]", "[a, b, c, e]"))
    assert run.steps["each"].cache == "miss"
    assert shop.lines("next")[-4:] == ["a", "b", "c", "e"]
