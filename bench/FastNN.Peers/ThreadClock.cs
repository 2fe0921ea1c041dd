using System.Runtime.InteropServices;

namespace FastNN.Peers;

/// <summary>
/// The processor time of the calling thread. On a machine with other work, wall time also counts the waits for a core, and
/// long steps catch more of them than short ones do, which bends ratios; this does not. It sees one thread only.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadProcessorTime = 3;

    public static bool IsSupported => OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    public static double Seconds()
    {
        _ = GetTime(ThreadProcessorTime, out var time);
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Time
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
