# bash completion of carbovisor; flags and their values are those that its --help names.

_carbovisor() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev='' verb=run help row words
    COMPREPLY=()
    [ "$COMP_CWORD" -gt 0 ] && prev=${COMP_WORDS[COMP_CWORD - 1]}
    if [ "$COMP_CWORD" = 1 ] && [[ $cur != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'run check ctl bundle list doctor --help --version' -- "$cur")
        return
    fi
    [[ ${COMP_WORDS[1]} == -* ]] || verb=${COMP_WORDS[1]}
    case $verb in
    list)
        words='guests engines machines devices'
        [ "$COMP_CWORD" -gt 2 ] && words=--json
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
        ;;
    doctor)
        mapfile -t COMPREPLY < <(compgen -W --json -- "$cur")
        return
        ;;
    ctl) # a socket, then commands: those that its monitor knows
        if [ "$COMP_CWORD" = 2 ]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        else
            help=$("${COMP_WORDS[0]}" ctl "${COMP_WORDS[2]}" help 2>/dev/null)
            if [ "$COMP_CWORD" = 3 ]; then
                words=$(cut -d ' ' -f 1 <<<"$help" | sort -u)
            else
                words=$(sed -n "s/^${COMP_WORDS[3]} \([a-z]*\) .*/\1/p" <<<"$help")
                [ "$COMP_CWORD" -gt 4 ] && words=--json
            fi
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        fi
        return
        ;;
    bundle)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W '-o -q' -- "$cur")
        elif [ "$prev" = -o ]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -X '!*.y*ml' -- "$cur"; compgen -d -- "$cur")
        fi
        return
        ;;
    run | check) ;;
    *) return ;;
    esac
    help=$("${COMP_WORDS[0]}" run --help 2>/dev/null)
    if [[ $cur == -* ]]; then
        words=$(grep -oE -e '--[a-z][a-z-]*' <<<"$help" | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    row=$(grep -E -e "^ *$prev " <<<"$help" | head -n 1 | awk '{ print $2 }')
    case $prev:$row in
    --*:*FILE*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    --*:*'|'*) mapfile -t COMPREPLY < <(compgen -W "${row//|/ }" -- "$cur") ;;
    -*:?*) ;;
    *) mapfile -t COMPREPLY < <(compgen -f -X '!*.y*ml' -- "$cur"; compgen -d -- "$cur") ;;
    esac
}
complete -o filenames -F _carbovisor carbovisor
