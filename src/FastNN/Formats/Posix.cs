using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastNN.Formats;

/// <summary>
/// The two calls of the C library that .NET does not offer: what kind of file a path names, asked without opening it (opening a
/// named pipe waits for a writer, opening a device may do something), and a handle of a folder, which has to be synchronized
/// after a rename for the new name to survive a power failure.
/// </summary>
internal static partial class Posix
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint TypeOnly = 1; // STATX_TYPE
    private const int TypeMask = 0xF000; // S_IFMT
    private const int OpenFolder = 0x80000; // O_RDONLY | O_CLOEXEC: the same on every architecture that .NET runs on

    /// <summary>
    /// The type bits of a file's mode (S_IFREG and its like), with links followed; null where the file does not exist, where it
    /// may not be looked at, and on systems other than Linux.
    /// </summary>
    /// <remarks><c>statx</c>, unlike <c>stat</c>, has one layout on all architectures of Linux.</remarks>
    public static int? FileType(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            return StatX(CurrentFolder, path, 0, TypeOnly, out FileStatus status) == 0 ? status.Mode & TypeMask : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library from before 2018.
            return null;
        }
    }

    /// <summary>Waits until the names in a folder are on the disk; does nothing on systems other than Linux.</summary>
    public static void SynchronizeFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using SafeFileHandle handle = new(Open(folder, OpenFolder), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"cannot open the folder '{folder}' to synchronize it: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        // Ignores file systems that synchronize no folders.
        RandomAccess.FlushToDisk(handle);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out FileStatus status);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    /// <summary><c>struct statx</c>, of which only the mode is looked at.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(28)]
        public ushort Mode;
    }
}
