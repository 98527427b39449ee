# What `cmake --install` and the Debian package put where. scripts/package makes the package.
include(GNUInstallDirs)
set(CPACK_PACKAGE_CONTACT "wxcourier maintainers <wxcourier@localhost>")

install(TARGETS wxcourier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/wxcourier.yaml DESTINATION /etc/wxcourier PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
install(FILES deploy/debian/environment DESTINATION /etc/wxcourier PERMISSIONS OWNER_READ OWNER_WRITE)
install(FILES deploy/systemd/wxcourier.service DESTINATION lib/systemd/system)
install(FILES deploy/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME wxcourier)
install(DIRECTORY config/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/wxcourier)
install(FILES deploy/debian/copyright README.md docs/reference.md docs/configuration.md docs/operations.md docs/metrics.md
  docs/wechat-errors.md docs/simulator.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/wxcourier)
install(DIRECTORY config/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/wxcourier)
install(FILES deploy/prometheus/alerts.yaml deploy/grafana/wxcourier.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/wxcourier/examples)

# The man page and the completions are made from what the installed program says of itself.
install(CODE "set(program \"$<TARGET_FILE:wxcourier>\")\nset(script \"${CMAKE_SOURCE_DIR}/scripts/command_docs\")
set(made \"${CMAKE_BINARY_DIR}/command_docs\")\nset(changelog \"${CMAKE_SOURCE_DIR}/CHANGELOG.md\")
set(version \"${PROJECT_VERSION}\")\nset(vendor \"${CPACK_PACKAGE_CONTACT}\")")
install(CODE [[
  execute_process(COMMAND python3 ${script} ${program} ${made} COMMAND_ERROR_IS_FATAL ANY)
  string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
  file(WRITE ${made}/changelog "wxcourier (${version}) stable; urgency=medium\n\n  * See changelog.md.gz.\n\n -- ${vendor}  ${now}\n")
  file(COPY_FILE ${changelog} ${made}/changelog.md)
  foreach(page wxcourier.1 changelog changelog.md)
    execute_process(COMMAND gzip -9nkf ${made}/${page} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
]])
set(made ${CMAKE_BINARY_DIR}/command_docs)
install(FILES ${made}/wxcourier.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/wxcourier.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME wxcourier)
install(FILES ${made}/_wxcourier DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${made}/changelog.gz ${made}/changelog.md.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/wxcourier)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wxcourier)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "queue-driven worker for WeChat push messages")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Producers put push jobs on a Kafka topic; wxcourier delivers each one through
the WeChat HTTPS API and reports what became of it on a status topic. Access
tokens are kept current, rates and quotas are kept, and what failed lies on a
dead letter topic.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/wxcourier/environment\n/etc/wxcourier/wxcourier.yaml\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm ${CMAKE_SOURCE_DIR}/deploy/debian/postrm
  ${CMAKE_BINARY_DIR}/conffiles)
include(CPack)
