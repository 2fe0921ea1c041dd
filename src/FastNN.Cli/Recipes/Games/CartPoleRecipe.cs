using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>An agent that learns to balance a pole, by the policy gradient and by proximal policy optimization.</summary>
internal sealed class CartPoleRecipe : ScriptedRecipe
{
    private const int Copies = 8, Horizon = 128, Episodes = 100;

    public override string Name => "cartpole";

    public override string Network => "actor and critic, each Dense 64 tanh, Dense 64 tanh, Dense";

    public override string DataDescription => "CartPole-v1, eight copies side by side";

    public override string TrainingDescription =>
        "policy gradient with a learned baseline, then PPO (clip 0.2, 4 epochs of 4 minibatches, generalized advantages), Adam 2.5e-3 to 0";

    public override Goal Goal => new("mean return of 100 episodes", 475);

    public override Goal QuickGoal => new("mean return of 100 episodes", 60);

    public override IReadOnlyList<string> Files => ["actor.safetensors"];

    public override double Run(ScriptRun run)
    {
        if (!run.Quick)
        {
            using PolicyAgent plain = Train(run, "policy gradient", updates: 150, clipped: false);
            run.Figure("mean return by the policy gradient", Evaluate(run, plain.Actor));
        }

        using PolicyAgent agent = Train(run, "ppo", run.Pick(100, 15), clipped: true);
        run.Keep("actor.safetensors", agent.Actor);
        return Evaluate(run, agent.Actor);
    }

    private static PolicyAgent Train(ScriptRun run, string phase, int updates, bool clipped)
    {
        (int epochs, int minibatches) = clipped ? (4, 4) : (1, 4);
        GameEnvironment[] environments = [.. Enumerable.Range(0, Copies).Select(_ => new CartPole())];
        var agent = new PolicyAgent(
            run.Device, environments, run.Seed, Schedule.Linear(2.5e-3f, updates * epochs * minibatches), clipped);
        try
        {
            using ScriptPhase progress = run.Begin(phase, updates * epochs * minibatches);
            for (int update = 1; update <= updates; update++)
            {
                agent.Learn(agent.Act(Horizon), epochs, Copies * Horizon / minibatches, progress);
                if (update % 25 == 0)
                {
                    run.Say($"{phase}: {update * Copies * Horizon:N0} steps, mean return {agent.RecentReturn:F1}");
                }
            }

            return agent;
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    /// <summary>The mean return of the most probable actions, in episodes of their own.</summary>
    private static double Evaluate(ScriptRun run, Sequential actor)
    {
        using Predictor predictor = actor.CreatePredictor(run.Device);
        return Play.MeanReturn(new CartPole(), predictor, Episodes, new Random((int)run.Seed + 1000));
    }
}
