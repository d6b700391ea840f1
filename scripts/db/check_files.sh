# Refuses files with psql commands or transaction control; sourced by migrate.sh.
# shellcheck shell=bash

readonly suspicious='copy|\\|commit|rollback|abort|savepoint|release|transaction|begin|end'
# To PostgreSQL every byte beyond ASCII is a letter.
readonly dollar=$'^\\$([A-Za-z_\x80-\xff][A-Za-z_0-9\x80-\xff]*)?\\$'
readonly word=$'^[A-Za-z_\x80-\xff][A-Za-z_0-9$\x80-\xff]*'

check_file() {
  local path=$1
  [ "$(tr -dc '\000' <"$path" | wc -c)" -eq 0 ] || refuse_file "$path" 1 'it contains a NUL byte'
  ! grep -qiE '^[[:space:]]*--[[:space:]]*opsctl:[[:space:]]*no-transaction' < <(head -n 20 "$path") ||
    fail 5 "cannot run $path" 'it asks to run without a transaction, which only opsctl can do' \
      'Use opsctl migrate.'
  ! grep -qiE "$suspicious" "$path" || scan "$path"
}

refuse_file() {
  fail 5 "$1:$2: cannot run this" "$3; nothing was changed"
}

# Reads line by line; what stays open at the end of a line is kept in $open: a quotation mark,
# E for an E'' string, a dollar tag, or /* as often as it was opened.
scan() {
  local path=$1 number=0 rest open='' data=0 depth=0
  local first_word='' pair='' before='' body='' copies=''
  while IFS= read -r rest || [ -n "$rest" ]; do
    number=$((number + 1))
    rest=${rest%$'\r'}
    if [ "$data" -eq 1 ]; then
      [ "$rest" != '\.' ] || data=0
      continue
    fi
    while [ -n "$rest" ]; do
      if [ -n "$open" ]; then inside; else outside; fi
    done
    [ "$data" -ne 2 ] || data=1
  done < <(text_of "$path")
  [ -z "$open" ] || refuse_file "$path" "$number" "an unclosed quotation or comment: $open"
  [ "$data" -eq 0 ] || refuse_file "$path" "$number" 'COPY data without its last line \.'
}

inside() {
  local opens=${rest%%'/*'*} closes=${rest%%'*/'*}
  case $open in
    /\**)
      if [ "${#closes}" -lt "${#opens}" ]; then
        rest=${rest:${#closes}+2} open=${open#'/*'}
      elif [ "${#opens}" -lt "${#rest}" ]; then
        rest=${rest:${#opens}+2} open+='/*'
      else
        rest=''
      fi
      ;;
    E)
      if [[ $rest =~ ^([^\'\\]|\\.|\'\')*\' ]]; then
        rest=${rest:${#BASH_REMATCH[0]}} open=''
      else
        rest=''
      fi
      ;;
    *)
      if [[ $rest == *"$open"* ]]; then
        rest=${rest#*"$open"} open=''
      else
        rest=''
      fi
      ;;
  esac
}

outside() {
  local first=${rest:0:1}
  if [[ $rest == --* ]]; then
    rest=''
  elif [[ $rest == /\** ]]; then
    open='/*' rest=${rest:2}
  elif [[ $rest == [Ee]\'* ]]; then
    open=E before='' rest=${rest:2}
  elif [[ $first == [\'\"] ]]; then
    open=$first before='' rest=${rest:1}
  elif [[ $rest =~ $dollar ]]; then
    open=${BASH_REMATCH[0]} rest=${rest:${#BASH_REMATCH[0]}}
  elif [[ $first == \\ ]]; then
    refuse_file "$path" "$number" "${rest%%[[:space:]]*} is a command of psql, not SQL"
  elif [[ $rest =~ $word ]]; then
    rest=${rest:${#BASH_REMATCH[0]}}
    check_word "${BASH_REMATCH[0]^^}"
  else
    case $first in
      '(') depth=$((depth + 1)) ;;
      ')') depth=$((depth - 1)) ;;
      ';') semicolon ;;
    esac
    [[ $first == [[:space:]] || $first == ';' ]] || before=$first
    rest=${rest:1}
  fi
}

semicolon() {
  before=';'
  [ "$depth" -le 0 ] && [ -z "$body" ] || return 0
  [ -z "$copies" ] || data=2
  first_word='' pair='' copies='' depth=0
}

# Takes the words of a statement one by one: $first_word is the first, $before the previous one.
check_word() {
  if [ -z "$first_word" ]; then
    first_word=$1
  elif [ -z "$pair" ]; then
    pair=$1
  fi
  case $first_word:$pair in
    BEGIN: | COMMIT: | END: | ROLLBACK: | ABORT: | SAVEPOINT: | RELEASE: | START:TRANSACTION | PREPARE:TRANSACTION)
      refuse_file "$path" "$number" "${first_word}${pair:+ $pair} would end or split its transaction"
      ;;
  esac
  case $first_word:$before:$1 in
    COPY:FROM:STDIN | COPY:FROM:STDOUT) [ "$depth" -gt 0 ] || copies=yes ;;
    CREATE:BEGIN:ATOMIC) body=yes ;;
    # CASE has an END too, but never after a semicolon.
    CREATE:';':END | CREATE:ATOMIC:END) body='' ;;
  esac
  before=$1
}
