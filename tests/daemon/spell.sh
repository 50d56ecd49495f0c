# To be sourced: the deployment that tests of real processes put under load.
#
# deploy_spell <troupe> <folder> <replicas> <more options>: examples/spellcheck as spell/speller at /, and waits for it.
deploy_spell() {
  cat >"$2/config.yaml" <<YAML
applications:
  - name: spell
    route_prefix: /
    import_path: libspellcheck.so:app
    args: {dictionary: /usr/share/hunspell/en_US}
    deployments:
      - {name: speller, num_replicas: $3, max_ongoing_requests: 8, user_config: {edition: 1, words: []}, $4}
YAML
  "$1" deploy --wait "$2/config.yaml" >/dev/null
}
