# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for vmtop
#
# Made by 'vmtop completion fish' from the tables of the program.

# The command on the line so far, - before there is one.
function __vmtop_command
	set -l skip 0
	for word in (commandline -opc)[2..-1]
		if test $skip = 1
			set skip 0
		else if contains -- $word $__vmtop_taking
			set skip 1
		else if not string match -q -- '-*' $word
			echo $word
			return
		end
	end
	echo -
end

function __vmtop_at
	contains -- (__vmtop_command) $argv
end

# Words with commas between; + before the first adds columns, - turns an order round.
function __vmtop_list
	set -l token (string replace -r -- '^--[^=]*=' '' (commandline -ct))
	set -l before (string match -r -- '^(?:.*,)?[-+]?' "$token")
	printf '%s\n' "$before"$argv
end

function __vmtop_pids
	string replace -f -r '^/proc/([0-9]+)$' '$1' /proc/*
end

function __vmtop_dirs
	__fish_complete_directories (string replace -r -- '^--[^=]*=' '' (commandline -ct)) ''
end

complete -c vmtop -f

# Options whose value is the next word, before the command.
set -g __vmtop_taking -o --output -s --sort --top --format -w --write --root -t --timeout

# before a command
complete -c vmtop -n '__vmtop_at -' -s o -l output -x -d 'columns, with commas between; +LIST adds; help lists them'
complete -c vmtop -n '__vmtop_at -' -l output-all -d 'all columns, and their cost'
complete -c vmtop -n '__vmtop_at -' -s s -l sort -x -d 'order of the rows; -COLUMN descends'
complete -c vmtop -n '__vmtop_at -' -l top -x -d 'the first N rows'
complete -c vmtop -n '__vmtop_at -' -s J -l json -d 'JSON, sizes in bytes (--format json)'
complete -c vmtop -n '__vmtop_at -' -l ndjson -d 'one JSON object a line (--format ndjson)'
complete -c vmtop -n '__vmtop_at -' -l csv -d 'the first table as CSV (--format csv)'
complete -c vmtop -n '__vmtop_at -' -l format -x -a 'text json ndjson csv' -d 'text, json, ndjson or csv'
complete -c vmtop -n '__vmtop_at -' -l raw -d 'columns with one blank between'
complete -c vmtop -n '__vmtop_at -' -l noheadings -d 'no headings'
complete -c vmtop -n '__vmtop_at -' -s b -l bytes -d 'sizes in bytes'
complete -c vmtop -n '__vmtop_at -' -s k -l kibi -d 'sizes in KiB'
complete -c vmtop -n '__vmtop_at -' -s m -l mebi -d 'sizes in MiB'
complete -c vmtop -n '__vmtop_at -' -s g -l gibi -d 'sizes in GiB'
complete -c vmtop -n '__vmtop_at -' -l pages -d 'sizes in pages'
complete -c vmtop -n '__vmtop_at -' -l human -d 'sizes with a unit; the default on a terminal'
complete -c vmtop -n '__vmtop_at -' -l ascii -d 'nothing but ASCII'
complete -c vmtop -n '__vmtop_at -' -s w -l write -r -F -d 'write to FILE, which is replaced once the output is complete'
complete -c vmtop -n '__vmtop_at -' -l strict -d 'exit 5 when something could not be read'
complete -c vmtop -n '__vmtop_at -' -l fail-empty -d 'exit 3 when there is no row'
complete -c vmtop -n '__vmtop_at -' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at -' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at -' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at -' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at -' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at -' -s V -l version -d 'print the version and exit'

# schema
complete -c vmtop -n '__vmtop_at -' -a schema -d 'JSON Schema of a command\'s document'
complete -c vmtop -n '__vmtop_at schema' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at schema' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at schema' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at schema' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at schema' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at schema' -s V -l version -d 'print the version and exit'

# completion
complete -c vmtop -n '__vmtop_at -' -a completion -d 'completion script of a shell'
complete -c vmtop -n '__vmtop_at completion' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at completion' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at completion' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at completion' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at completion' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at completion' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at completion' -a 'bash zsh fish'

# help
complete -c vmtop -n '__vmtop_at -' -a help -d 'help of vmtop or of a command'
complete -c vmtop -n '__vmtop_at help' -l root -x -a '(__vmtop_dirs)' -d 'read the saved proc/ and sys/ below DIR'
complete -c vmtop -n '__vmtop_at help' -s t -l timeout -x -d 'give up after SEC seconds (exit 124)'
complete -c vmtop -n '__vmtop_at help' -s q -l quiet -d 'no notes on standard error'
complete -c vmtop -n '__vmtop_at help' -s v -l verbose -d 'say what is done; more when given twice'
complete -c vmtop -n '__vmtop_at help' -s h -l help -d 'print help and exit'
complete -c vmtop -n '__vmtop_at help' -s V -l version -d 'print the version and exit'
complete -c vmtop -n '__vmtop_at help' -a 'schema completion help'
