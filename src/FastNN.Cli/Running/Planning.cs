using System.Globalization;

namespace FastNN.Cli.Running;

/// <summary>Plans a step's memory before anything is allocated, and says which option to change where it is too much.</summary>
internal static class Planning
{
    public static MemoryPlan Plan(Trainer trainer, int batch)
    {
        try
        {
            return trainer.PlanMemory(batch);
        }
        catch (ShapeException exception)
        {
            throw new CliException($"--batch {batch}: {exception.Message}");
        }
    }

    /// <summary>
    /// Refuses what the processor's memory cannot hold. Linux hands out more than there is and ends a process, without a word,
    /// that uses it.
    /// </summary>
    public static void RequireMemory(MemoryPlan plan, int batch, Device device)
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (device.Kind == "cpu" && plan.PeakBytes > available)
        {
            throw new CliException(string.Create(
                CultureInfo.InvariantCulture,
                $"--batch {batch}: a step needs {plan.PeakBytes:N0} bytes, this machine has {available:N0} bytes of memory; a smaller --batch needs less"));
        }
    }
}
