#!/bin/sh
# Builds mediasoup-worker from the sources inside the npm package "mediasoup", with Debian's libraries
# only: nothing is fetched. `overlay/` stands in for the subprojects that the package would download.
#
#   usage: build.sh <unpacked mediasoup package> <work folder>
#
# Prints ninja's "[n/m]" lines as it goes and leaves <work folder>/mediasoup-worker. May be called again
# after an interruption: what is prepared is kept, and ninja compiles only what is missing.
set -eu
PACKAGE=$(cd "$1" && pwd)
WORK=$(cd "$2" && pwd)
HERE=$(cd "$(dirname "$0")" && pwd)

# change <file> <sed expression> <text that must be there afterwards>
change() {
	sed -i "$2" "$WORK/worker/$1"
	grep -qF -- "$3" "$WORK/worker/$1" || { echo "mediasoup's $1 is not as expected: no \"$3\"" >&2; exit 1; }
}

prepare() {
	rm -rf "$WORK/worker" "$WORK/build" "$WORK/pch"
	cp -R "$PACKAGE/worker" "$WORK/worker"
	rm -rf "$WORK/worker/subprojects"
	cp -R "$HERE/overlay" "$WORK/worker/subprojects"

	# Debian 12 has meson 1.0.1; nothing in these files needs the 1.1.0 that they ask for.
	change meson.build "s/meson_version: '>= 1.1.0'/meson_version: '>= 1.0.0'/" "meson_version: '>= 1.0.0'"

	# The BIO callback must hand on the result of every finished operation. As it is, it answers 1 to each
	# control question, which an OpenSSL with kernel TLS (Debian's) takes for "kernel TLS is on": it then
	# allocates no write buffer, and the worker dies with SIGSEGV in the first DTLS handshake.
	change src/RTC/DtlsTransport.cpp \
		's/(operationType == BIO_CB_RETURN)/((operationType \& BIO_CB_RETURN) != 0)/' \
		'((operationType & BIO_CB_RETURN) != 0) ? static_cast<long>(ret) : 1;'

	# Every source reads the same large headers; one precompiled header halves the time.
	mkdir -p "$WORK/pch"
	{
		echo '#include "common.hpp"'
		for h in array bitset cmath cstdio cstring deque limits map set span sstream string string_view vector \
			ankerl/unordered_dense.h flatbuffers/flatbuffers.h uv.h; do
			echo "#include <$h>"
		done
		for f in "$WORK"/worker/fbs/*.fbs; do
			echo "#include \"FBS/$(basename "$f" .fbs).h\""
		done
	} > "$WORK/pch/ms_pch.hpp"
	change meson.build \
		"s#cpp_args: cpp_args + \['-DMS_EXECUTABLE'\]#cpp_args: cpp_args + ['-DMS_EXECUTABLE', '-include', '$WORK/pch/ms_pch.hpp']#" \
		"$WORK/pch/ms_pch.hpp"

	# As mediasoup's own tasks.py does it: a release build without the libraries' asserts.
	meson setup --wrap-mode=nodownload --buildtype=release -Db_ndebug=true "$WORK/build" "$WORK/worker"
	ninja -C "$WORK/build" fbs/FBS/worker.h
	(cd "$WORK/build" && c++ -I../worker/include -I../worker/subprojects/unordered-dense/include -Ifbs \
		-DNDEBUG -D_FILE_OFFSET_BITS=64 -std=c++20 -O3 -DFLATBUFFERS_LOCALE_INDEPENDENT=true -DNOMINMAX \
		-DMS_LITTLE_ENDIAN -DMS_EXECUTABLE -x c++-header "$WORK/pch/ms_pch.hpp" -o "$WORK/pch/ms_pch.hpp.gch")
	touch "$WORK/prepared"
}

[ -e "$WORK/prepared" ] || prepare
ninja -C "$WORK/build" mediasoup-worker
strip -o "$WORK/mediasoup-worker.new" "$WORK/build/mediasoup-worker"
mv "$WORK/mediasoup-worker.new" "$WORK/mediasoup-worker"
