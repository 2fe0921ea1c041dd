# An nvcc on the path is not taken unless it is named, and what PTX a compiler writes is said.
# cmake -DKERNELS=kernels -DSCRATCH=folder -P compiler_test.cmake
file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}/bin")
# The last argument is where the output goes.
file(WRITE "${SCRATCH}/bin/nvcc" [=[#!/bin/sh
[ "$1" = --version ] && { echo "nvcc: NVIDIA (R) Cuda compiler driver"; echo "Cuda compilation tools, release 12.4, V12.4.131"; exit 0; }
for argument; do output=$argument; done
printf '.version 8.4\n.target sm_80\n.address_size 64\n' >"$output"
]=])
file(CHMOD "${SCRATCH}/bin/nvcc" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

function(configure expected)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env --unset=FASTNN_CUDA_COMPILER "PATH=${SCRATCH}/bin:$ENV{PATH}" "CUDA_HOME=${SCRATCH}" ${ARGN}
      "${CMAKE_COMMAND}" --fresh -S "${KERNELS}" -B "${SCRATCH}/build"
    OUTPUT_VARIABLE report ERROR_VARIABLE report RESULT_VARIABLE code)
  if(code OR NOT report MATCHES "${expected}")
    message(FATAL_ERROR "expected ${expected}, got:\n${report}")
  endif()
endfunction()

configure("clang[^\n]* [(]clang version [0-9.]+[)], PTX 7[.]0 for sm_80")
configure("nvcc [(]release 12[.]4[)], PTX 8[.]4 for sm_80.*needs a driver" FASTNN_CUDA_COMPILER=nvcc)
file(REMOVE_RECURSE "${SCRATCH}")
