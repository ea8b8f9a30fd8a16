import argparse
import os
import pathlib
import shutil
import tarfile

parser = argparse.ArgumentParser()
parser.add_argument("--inference_script", required=True)
parser.add_argument("--model_archive", required=True)
parser.add_argument("--source_dir", default="")
parser.add_argument("--dependencies", default="")
options = parser.parse_args()
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
archive = pathlib.Path("/opt/ml/input/data/training") / options.model_archive.split("/")[-1]
with tarfile.open(archive) as tar:
    tar.extractall(model)
(model / "code").mkdir()
shutil.copy(options.inference_script, model / "code" / options.inference_script)
