using System.Diagnostics;
using System.Globalization;

namespace FastNN.Fuzz;

/// <summary>
/// Runs damaged files through readers. A reader may accept a file or refuse it with a <see cref="FileFormatException"/> of one
/// short line; it may allocate no more than its bound and take no longer than ten seconds. Everything else is a failure, whose
/// file is kept.
/// </summary>
internal sealed class Fuzzer(ulong seed, string folder, TextWriter log)
{
    private const int MaxMessage = 600;
    private const int MaxCorpus = 256;

    /// <summary>The longest that a file may take; none of these sizes takes a hundredth of it.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Fuzzes a reader for a time, on a thread of its own, and stops at its first failure.</summary>
    public FuzzFailure? Run(FuzzTarget target, TimeSpan time)
    {
        var run = new TargetRun(target, Random(target.Name));
        var thread = new Thread(() => run.Loop(time)) { IsBackground = true, Name = $"fuzzing {target.Name}" };
        thread.Start();
        while (!thread.Join(Patience / 10))
        {
            if (run.Elapsed > Patience)
            {
                return Keep(target, run.Input, $"took more than {Patience.TotalSeconds} s");
            }
        }

        log.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target.Name,-20} {run.Files,9} files {run.Bytes / 1e6,8:F1} MB  {run.Accepted,8} accepted  slowest {run.Slowest.TotalMilliseconds,6:F1} ms  most allocated {run.MostAllocated,9} B"));
        return run.Failure is { } reason ? Keep(target, run.Input, reason) : null;
    }

    private FuzzFailure Keep(FuzzTarget target, byte[] input, string reason)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, $"{target.Name.Replace(' ', '-')}-seed{seed}.bin");
        File.WriteAllBytes(path, input);
        return new FuzzFailure(target.Name, reason, path);
    }

    // string.GetHashCode differs from process to process.
    private Random Random(string name)
    {
        ulong hash = seed;
        foreach (char c in name)
        {
            hash = (hash * 1099511628211) ^ c;
        }

        return new Random((int)(hash ^ (hash >> 32)));
    }

    /// <summary>What is known of one reader's run; written by its thread, read by the one that waits for it.</summary>
    private sealed class TargetRun(FuzzTarget target, Random random)
    {
        private readonly List<byte[]> _corpus = [.. target.Samples];
        private long _began = Stopwatch.GetTimestamp();

        public byte[] Input { get; private set; } = [];

        public string? Failure { get; private set; }

        public long Files { get; private set; }

        public long Bytes { get; private set; }

        public long Accepted { get; private set; }

        public TimeSpan Slowest { get; private set; }

        public long MostAllocated { get; private set; }

        /// <summary>How long the present file has taken so far.</summary>
        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Volatile.Read(ref _began));

        public void Loop(TimeSpan time)
        {
            var watch = Stopwatch.StartNew();
            var mutator = new Mutator(random, target.Tokens);

            // Twice: what is made once per process is no part of what a file costs.
            foreach (byte[] sample in (byte[][])[.. target.Samples, .. target.Samples])
            {
                Failure = null;
                if (!Try(sample))
                {
                    Failure ??= "a valid file is refused";
                }
            }

            try
            {
                target.Read([]);
            }
            catch (FileFormatException)
            {
                // As it should be.
            }

            while (Failure is null && watch.Elapsed < time)
            {
                byte[] input = mutator.Mutate(Any(), Any());
                bool accepted = Try(input);

                // What passed leads deeper than what it was made from.
                if (accepted && random.Next(8) == 0)
                {
                    if (_corpus.Count < MaxCorpus)
                    {
                        _corpus.Add(input);
                    }
                    else
                    {
                        _corpus[random.Next(target.Samples.Length, MaxCorpus)] = input;
                    }
                }
            }
        }

        private byte[] Any() => _corpus[random.Next(_corpus.Count)];

        private bool Try(byte[] input)
        {
            Input = input;
            Volatile.Write(ref _began, Stopwatch.GetTimestamp());
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool accepted = false;
            try
            {
                target.Read(input);
                accepted = true;
            }
            catch (FileFormatException e)
            {
                if (e.Message.Length > MaxMessage || e.Message.Any(c => char.IsControl(c) || c is >= '\u202A' and <= '\u202E'))
                {
                    Failure = $"a message of {e.Message.Length} characters, or of more than one line";
                }
            }
            catch (Exception e)
            {
                Failure = $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            TimeSpan elapsed = Elapsed;
            long bound = target.MaxAllocated(input.Length);
            if (allocated > bound)
            {
                Failure ??= $"{input.Length} bytes made it allocate {allocated}, more than {bound}";
            }

            (Files, Bytes) = (Files + 1, Bytes + input.Length);
            Accepted += accepted ? 1 : 0;
            Slowest = elapsed > Slowest ? elapsed : Slowest;
            MostAllocated = Math.Max(allocated, MostAllocated);
            return accepted;
        }
    }
}
