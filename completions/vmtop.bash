# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vmtop                                  -*- shell-script -*-
#
# Made by 'vmtop completion bash' from the tables of the program.

# Each of these offers what fits to $cur.
_vmtop_words()
{
	local word
	for word in $1; do
		[[ $word == "$cur"* ]] && COMPREPLY+=("$word")
	done
}

# Words with commas between; + before the first adds columns, - turns an order round.
_vmtop_list()
{
	local word head= last=${cur##*,}
	head=${cur%"$last"}
	[[ $last == [-+]* ]] && head+=${last:0:1} last=${last:1}
	for word in $1; do
		[[ $word == "${last,,}"* ]] && COMPREPLY+=("$head$word")
	done
	compopt -o nospace
}

_vmtop_pids()
{
	local path words=
	for path in /proc/[0-9]*; do
		words+=" ${path#/proc/}"
	done
	"$1" "$words"
}

_vmtop_users()
{
	"$1" "$(compgen -u)"
}

# The options of command $1, and how many operands it takes.
_vmtop_options()
{
	case $1 in
	'')
		opts='--output --output-all --sort --top --json --ndjson --csv --format --raw --noheadings --bytes --kibi --mebi --gibi --pages --human --ascii --write --strict --fail-empty --root --timeout --quiet --verbose --help --version'
		takes='-o --output -s --sort --top --format -w --write --root -t --timeout'
		most=0
		;;
	schema)
		opts='--root --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	completion)
		opts='--root --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	help)
		opts='--root --timeout --quiet --verbose --help --version'
		takes='--root -t --timeout'
		most=1
		;;
	*) return 1 ;;
	esac
}

# Offers values of option $2 of command $1; operands where $2 is empty.
_vmtop_values()
{
	case $1,$2 in
	'',--format) _vmtop_words 'text json ndjson csv' ;;
	'',-w | '',--write) compopt -o default ;;
	'',--root) compopt -o dirnames ;;
	'',) _vmtop_words 'schema completion help' ;;
	schema,--root) compopt -o dirnames ;;
	completion,--root) compopt -o dirnames ;;
	completion,) _vmtop_words 'bash zsh fish' ;;
	help,--root) compopt -o dirnames ;;
	help,) _vmtop_words 'schema completion help' ;;
	esac
}

_vmtop()
{
	local cur=${COMP_WORDS[COMP_CWORD]} cmd= opt= opts= takes= most=0
	local word i=1 operands=0 only_operands= before= IFS=$' \t\n'
	COMPREPLY=()
	_vmtop_options ''
	while ((i < COMP_CWORD)); do
		word=${COMP_WORDS[i++]}
		if [[ -n $only_operands || $word != -?* ]]; then
			if [[ -z $cmd ]]; then
				cmd=$word
				_vmtop_options "$cmd" || return 0
			else
				((operands++))
			fi
		elif [[ $word == -- ]]; then
			only_operands=1
		elif [[ " $takes " == *" $word "* ]]; then
			# readline may have made a word of the = behind it
			[[ ${COMP_WORDS[i]} == = ]] && ((i++))
			((i >= COMP_CWORD)) && opt=$word
			((i++))
		fi
	done
	if [[ -n $opt ]]; then
		[[ $cur == = ]] && cur=
	elif [[ -z $only_operands && $cur == --*=* ]]; then
		opt=${cur%%=*} before=${cur%%=*}= cur=${cur#*=}
		[[ " $takes " == *" $opt "* ]] || return 0
	fi
	if [[ -n $opt ]]; then
		_vmtop_values "$cmd" "$opt"
	elif [[ -z $only_operands && $cur == -* ]]; then
		_vmtop_words "$opts"
	elif [[ -z $cmd ]]; then
		_vmtop_values '' ''
	elif ((operands < most)); then
		_vmtop_values "$cmd" ''
	fi
	[[ -n $before ]] && COMPREPLY=("${COMPREPLY[@]/#/$before}")
	return 0
}

complete -F _vmtop vmtop
