using System.Globalization;
using FastNN.Tensors;

namespace FastNN.Graphs.Checks;

/// <summary>Holds the places of a plan against one another; made for debug mode, once per plan that is bound.</summary>
internal static class PlanCheck
{
    /// <summary>Fails where two buffers that are alive at one step share bytes. One sweep over the steps: n log n.</summary>
    /// <exception cref="InvalidOperationException">Two do; the message names them.</exception>
    public static void RequireDisjoint(IReadOnlyList<Buffer> buffers)
    {
        Buffer[] beginning = [.. buffers.Where(buffer => buffer.Bytes > 0).OrderBy(buffer => buffer.First)];
        Buffer[] ending = [.. beginning.OrderBy(buffer => buffer.Last)];

        // Those alive at a step do not overlap, so a newcomer that overlaps any overlaps its neighbor in the order of offsets.
        var alive = new SortedSet<Buffer>(Comparer<Buffer>.Create((a, b) => a.Offset.CompareTo(b.Offset)));
        int ended = 0;
        foreach (Buffer buffer in beginning)
        {
            for (; ending[ended].Last < buffer.First; ended++)
            {
                alive.Remove(ending[ended]);
            }

            if (!alive.Add(buffer))
            {
                alive.TryGetValue(buffer, out Buffer? same);
                throw Overlap(buffer, same!);
            }

            RequireBehind(alive.GetViewBetween(alive.Min!, buffer).Reverse().Skip(1).FirstOrDefault(), buffer);
            RequireBehind(buffer, alive.GetViewBetween(buffer, alive.Max!).Skip(1).FirstOrDefault());
        }
    }

    /// <summary>Fails unless a buffer is alive at a step.</summary>
    /// <exception cref="InvalidOperationException">It is not.</exception>
    public static void RequireAlive(TensorAccess access, int step, string what)
    {
        if (access.Planned.Place.Buffer is { } buffer && (step < buffer.First || step > buffer.Last))
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{DebugChecks.Variable}: {what}: {access}, is used in step {step}, but its buffer '{buffer.Name}' lives in steps {buffer.First} to {buffer.Last}."));
        }

        if (access.Planned.Place.Buffer is { } holder && access.Planned.Offset + access.Tensor.Bytes > holder.Bytes)
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{DebugChecks.Variable}: {what}: {access}, ends {access.Planned.Offset + access.Tensor.Bytes} bytes into buffer '{holder.Name}' of {holder.Bytes}."));
        }
    }

    private static void RequireBehind(Buffer? first, Buffer? second)
    {
        if (first is not null && second is not null && first.Offset + first.Bytes > second.Offset)
        {
            throw Overlap(first, second);
        }
    }

    private static InvalidOperationException Overlap(Buffer a, Buffer b) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{DebugChecks.Variable}: buffers '{a.Name}' (bytes {a.Offset} to {a.Offset + a.Bytes}, steps {a.First} to {a.Last}) and '{b.Name}' " +
        $"(bytes {b.Offset} to {b.Offset + b.Bytes}, steps {b.First} to {b.Last}) overlap while both are alive."));
}
