"""What the pipelines of both generations of SageMaker's SDK run: scripts, as their users write them."""

from __future__ import annotations

from pathlib import Path

PREPARE = """
import argparse, csv, os, pathlib, random
import sklearn
parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int)
options = parser.parse_args()
base = pathlib.Path("/opt/ml/processing")
with open(base / "input" / "raw.csv") as file:
    rows = list(csv.reader(file))[: options.rows]
random.Random(0).shuffle(rows)
cut = len(rows) * 3 // 4
for name, part in (("train", rows[:cut]), ("test", rows[cut:])):
    with open(base / name / (name + ".csv"), "w", newline="") as file:
        csv.writer(file).writerows(part)
print("level is", os.environ["LEVEL"], "on sklearn", sklearn.__version__)
"""
TRAIN = """
import argparse, json, os, shutil
import joblib, numpy, tabulate
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from metrics import recall
parser = argparse.ArgumentParser()
parser.add_argument("-C", "--C", type=float, default=1.0)
parser.add_argument("--mode")
parser.add_argument("--layers")
parser.add_argument("--strict")
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
options = parser.parse_args()
data = numpy.loadtxt(os.path.join(options.train, "train.csv"), delimiter=",")
model = make_pipeline(StandardScaler(), LogisticRegression(C=options.C, max_iter=500))
model.fit(data[:, 1:], data[:, 0])
joblib.dump(model, os.path.join(options.model_dir, "model.joblib"))
os.mkdir(os.path.join(options.model_dir, "code"))
shutil.copy("inference.py", os.path.join(options.model_dir, "code"))
print("train_recall=%.4f;" % recall(model, data))
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "options.json"), "w") as file:
    json.dump({"options": vars(options), "hps": json.loads(os.environ["SM_HPS"])}, file)
"""
METRICS = """
from sklearn.metrics import recall_score
def recall(model, data):
    return recall_score(data[:, 0], model.predict(data[:, 1:]))
"""
EVALUATE = """
import json, pathlib, sys, tarfile
import joblib, numpy
from metrics import recall
base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model" / "model.tar.gz") as tar:
    tar.extractall("/tmp/model")
data = numpy.loadtxt(base / "test" / "test.csv", delimiter=",")
found = {"classes": [{"recall.value": recall(joblib.load("/tmp/model/model.joblib"), data)}], "said": sys.argv[1:]}
(base / "evaluation" / "evaluation.json").write_text(json.dumps(found))
"""
INFERENCE = """
import os
import joblib, numpy
def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return numpy.array([[float(cell) for cell in line.split(",")] for line in text.strip().splitlines()])
def predict_fn(data, model):
    return model.predict(data)
def output_fn(predicted, accept):
    return "\\n".join(str(int(each)) for each in predicted)
"""
HANDLERS = """
def announce(event, context):
    return {"statusCode": 200, "said": "recall " + str(event["recall"]), "rows": event["rows"] + 1}
"""
ANSWER = """
import json, os, sys
asked = json.load(sys.stdin)
with open(os.environ["PENSTOCK_ANSWER"], "w") as file:
    json.dump({"answer": "yes" if asked["arguments"]["said"].startswith("recall") else "no"}, file)
"""
SETTINGS = """
images:
  sagemaker-scikit-learn: {packages: [scikit-learn, joblib]}
lambdas:
  "arn:aws:lambda:us-east-1:123456789012:function:announce": {handler: "handlers.py:announce"}
callbacks:
  "https://sqs.us-east-1.amazonaws.com/123456789012/approvals": {run: python answer.py}
"""


def write_code(folder: Path) -> Path:
    """Lay the scripts out in folders, as an SDK takes them."""
    for name, text in {
        "prepare.py": PREPARE,
        "source/train.py": TRAIN,
        "source/evaluate.py": EVALUATE,
        "source/metrics.py": METRICS,
        "source/inference.py": INFERENCE,
        "source/requirements.txt": "tabulate==0.9.0\n",
        "serve/inference.py": INFERENCE,
        "handlers.py": HANDLERS,
        "answer.py": ANSWER,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
