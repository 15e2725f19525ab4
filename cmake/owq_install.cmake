# SPDX-License-Identifier: Apache-2.0
# Install and package rules: programs in bin, private libraries in lib/owq, data in share/owq-workbench.
# `cmake --install build/release --prefix DIR` gives a tree that can be moved; installer/package.sh makes packages of it.
set(owq_private_lib lib/owq)
set(owq_data share/owq-workbench)

# One name for what a person runs, whatever this configuration builds.
add_custom_target(programs)
foreach(program owq owq-workbench)
    if(TARGET ${program})
        add_dependencies(programs ${program})
        set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../${owq_private_lib}")
        install(TARGETS ${program} RUNTIME DESTINATION bin)
    endif()
endforeach()
if(TARGET owq_kernels_cuda)
    add_dependencies(programs owq_kernels_cuda)
    install(TARGETS owq_kernels_cuda LIBRARY DESTINATION ${owq_private_lib})
endif()

# LibTorch finds its neighbours through its own $ORIGIN.
install(FILES
    ${OWQ_TORCH_DIR}/lib/libtorch_cpu.so
    ${OWQ_TORCH_DIR}/lib/libc10.so
    ${OWQ_TORCH_DIR}/lib/libgomp.so.1
    ${OWQ_TORCH_DIR}/../nvidia/cu13/lib/libcudart.so.13
    ${OWQ_TORCH_DIR}/../nvidia/cu13/lib/libcupti.so.13
    DESTINATION ${owq_private_lib})
install(DIRECTORY ${OWQ_TORCH_DIR}/../torch-2.11.0.dist-info/licenses/
    DESTINATION share/doc/owq-workbench/libtorch OPTIONAL)
foreach(part nvidia_cuda_runtime-13.0.96 nvidia_cuda_cupti-13.0.85)
    install(DIRECTORY ${OWQ_TORCH_DIR}/../${part}.dist-info/licenses/
        DESTINATION share/doc/owq-workbench/${part} OPTIONAL)
endforeach()

foreach(data sample help)
    if(IS_DIRECTORY ${CMAKE_SOURCE_DIR}/resources/${data})
        install(DIRECTORY resources/${data} DESTINATION ${owq_data})
    endif()
endforeach()
install(FILES README.md CHANGELOG.md DESTINATION share/doc/owq-workbench)
install(DIRECTORY LICENSES DESTINATION share/doc/owq-workbench)

if(OWQ_WITH_GUI)
    install(FILES installer/linux/owq-workbench.desktop DESTINATION share/applications)
    install(FILES installer/linux/owq-workbench.metainfo.xml DESTINATION share/metainfo)
    install(FILES installer/linux/owq-workbench.svg DESTINATION share/icons/hicolor/scalable/apps)
endif()

set(CPACK_PACKAGE_NAME owq-workbench)
set(CPACK_PACKAGE_VENDOR "OWQ Workbench developers")
set(CPACK_PACKAGE_CONTACT ${CPACK_PACKAGE_VENDOR})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Outlier-aware weight quantization of language models")
set(CPACK_PACKAGE_DESCRIPTION "OWQ Workbench opens a language-model checkpoint, shows where quantization will hurt and why, quantizes it with OWQ, OPTQ or rounding to nearest, measures perplexity and exports a packed model; owq does the same from the command line.")
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# The libraries the programs are linked to; our private ones are not looked for in packages.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${OWQ_TORCH_DIR}/lib ${OWQ_TORCH_DIR}/../nvidia/cu13/lib)
set(CPACK_DEBIAN_PACKAGE_DEPENDS fonts-dejavu-core)
include(CPack)
