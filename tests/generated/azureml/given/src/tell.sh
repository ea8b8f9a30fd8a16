# Tells what a node is given: words, variables, files.
echo "words $*"
echo "$(python -V)"
env | grep -E '^(WORD|FIXED|RANK|LOCAL_|NODE_RANK|WORLD_SIZE|OMPI_|TF_CONFIG|AZUREML_(EXPERIMENT_NAME|NODE_COUNT|CR_NODE_RANK|PARAMETER_|DATAREFERENCE_)|AZURE_ML_)' | sort
for each in tell.sh mark.txt extra.txt; do [ -e "$each" ] && echo "code $each"; done
for each in $(env | grep ^AZURE_ML_INPUT_ | cut -d= -f2- | sort); do
  # What is mounted is read-only, by the rights of its files: whoever is root may write there all the same.
  [ -d "$each" ] && (cd "$each" && stat -c '%A %n' *)
  [ -f "$each" ] && cat "$each" && stat -c %A "$each"
done
true
