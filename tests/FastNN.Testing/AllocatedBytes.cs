namespace FastNN.Testing;

/// <summary>Managed memory that code takes once it is warm.</summary>
public static class AllocatedBytes
{
    /// <summary>What this thread allocates while it runs something so many times, having run it as often before.</summary>
    public static long Of(Action action, int times)
    {
        Repeat(action, times);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(action, times);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Repeat(Action action, int times)
    {
        for (int i = 0; i < times; i++)
        {
            action();
        }
    }
}
