# cmake -DCH=<program> -DFOLDER=<folder> -P Manual.cmake: writes the manual pages and the completion
# scripts of `ch` below FOLDER, laid out as they are installed below share/.
function(write_output file)
  execute_process(COMMAND ${CH} ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${FOLDER}/${file} "${text}")
endfunction()

file(REMOVE_RECURSE ${FOLDER})
write_output(man/man1/ch.1 help man)
file(READ ${FOLDER}/man/man1/ch.1 page)
string(REGEX MATCHALL "BR ch\\\\-[a-z]+ \\(1\\)" pages "${page}")  # the pages it refers to
foreach(reference IN LISTS pages)
  string(REGEX REPLACE "BR ch\\\\-([a-z]+) .*" "\\1" action "${reference}")
  write_output(man/man1/ch-${action}.1 help man ${action})
endforeach()
write_output(bash-completion/completions/ch completion bash)
write_output(zsh/site-functions/_ch completion zsh)
write_output(fish/vendor_completions.d/ch.fish completion fish)
