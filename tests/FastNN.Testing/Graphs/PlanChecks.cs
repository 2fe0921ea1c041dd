using FastNN.Graphs;
using Buffer = FastNN.Graphs.Buffer;

namespace FastNN.Testing;

/// <summary>What holds of every plan.</summary>
internal static class PlanChecks
{
    /// <summary>Fails where two buffers alive at one time overlap, or one is not aligned.</summary>
    public static void RequireDisjoint(IReadOnlyList<Buffer> buffers)
    {
        for (int i = 0; i < buffers.Count; i++)
        {
            Buffer a = buffers[i];
            Assert.That(a.Offset, Is.Not.Negative);
            Assert.That(a.Offset % Planner.Alignment, Is.Zero);
            for (int j = 0; j < i; j++)
            {
                Buffer b = buffers[j];
                bool meet = a.First <= b.Last && b.First <= a.Last;
                bool overlap = a.Offset < b.Offset + b.Bytes && b.Offset < a.Offset + a.Bytes;
                if (meet && overlap)
                {
                    Assert.Fail(
                        $"{a.Name} [{a.First}, {a.Last}] at {a.Offset} and {b.Name} [{b.First}, {b.Last}] at {b.Offset} overlap.");
                }
            }
        }
    }
}
