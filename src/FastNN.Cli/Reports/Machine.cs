using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace FastNN.Cli.Reports;

/// <summary>What a run ran on, without names of the machine or of people.</summary>
internal static class Machine
{
    public static string Version =>
        typeof(Machine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    public static IReadOnlyList<(string Name, string Value)> Facts(Device device) =>
    [
        ("device", device.Description),
        ("threads", string.Create(CultureInfo.InvariantCulture, $"{device.Threads} of {Environment.ProcessorCount} processors")),
        ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
        (".NET", RuntimeInformation.FrameworkDescription),
        ("FastNN", Version),
        ("memory", MemoryPicture.Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)),
    ];
}
