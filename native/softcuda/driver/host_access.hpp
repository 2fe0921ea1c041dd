// Memory as host code of the libraries sees it, while their work runs on a stream.
#pragma once

namespace softcuda::driver {

/// Names the work for findings, for as long as it lives; says afterwards whether it touched memory that is not allocated.
class LibraryScope {
public:
    explicit LibraryScope(const char* name);
    ~LibraryScope();
    LibraryScope(const LibraryScope&) = delete;
    LibraryScope& operator=(const LibraryScope&) = delete;
    bool faulted() const;
};

}  // namespace softcuda::driver
