// The parts of libsrtp 3's interface that mediasoup uses, over libsrtp 2: what Debian 12 and 13 have.
// Policies are objects there and plain structs here; packets have an input and an output there and are changed in
// place here. Keys have no MKI: mediasoup uses none.
#pragma once

#include <srtp2/srtp.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

// Known to libsrtp 3 only: named by mediasoup's table of errors, returned by nothing here but the first.
static constexpr srtp_err_status_t srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
static constexpr srtp_err_status_t srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

namespace klieg
{
	struct SrtpPolicy
	{
		srtp_ssrc_t ssrc{};
		srtp_profile_t profile{};
		std::vector<uint8_t> key; // Master key and salt, one after the other.
		bool allowRepeatTx{ false };
		size_t windowSize{ 128 };
	};

	/// Runs one of libsrtp 2's functions, which change a packet where it is, from `in` to `out`.
	template<typename Function>
	inline srtp_err_status_t srtp_from_to(
	  Function function, srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t growth)
	{
		if (inLen > INT_MAX - growth || *outLen < inLen + growth)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memmove(out, in, inLen);
		}

		int len = static_cast<int>(inLen);
		const srtp_err_status_t status = function(session, out, &len);

		if (status == srtp_err_status_ok)
		{
			*outLen = static_cast<size_t>(len);
		}

		return status;
	}
} // namespace klieg

typedef klieg::SrtpPolicy* klieg_srtp_policy_t;

inline srtp_err_status_t srtp_policy_create(klieg_srtp_policy_t* policy)
{
	*policy = new (std::nothrow) klieg::SrtpPolicy();

	return *policy == nullptr ? srtp_err_status_alloc_fail : srtp_err_status_ok;
}

inline void srtp_policy_destroy(klieg_srtp_policy_t policy)
{
	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(klieg_srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(klieg_srtp_policy_t policy, srtp_profile_t profile)
{
	policy->profile = profile;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_add_key(
  klieg_srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t mkiLen)
{
	if (mkiLen != 0)
	{
		return srtp_err_status_bad_param;
	}

	policy->key.assign(key, key + keyLen);
	policy->key.insert(policy->key.end(), salt, salt + saltLen);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(klieg_srtp_policy_t policy, bool allow)
{
	policy->allowRepeatTx = allow;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(klieg_srtp_policy_t policy, size_t size)
{
	policy->windowSize = size;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, klieg_srtp_policy_t given)
{
	srtp_policy_t policy;

	std::memset(&policy, 0, sizeof(policy));

	srtp_err_status_t status = srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, given->profile);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	status = srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, given->profile);

	if (status != srtp_err_status_ok)
	{
		return status;
	}

	policy.ssrc            = given->ssrc;
	policy.key             = given->key.data();
	policy.window_size     = given->windowSize;
	policy.allow_repeat_tx = given->allowRepeatTx ? 1 : 0;

	return srtp_create(session, &policy);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* rtp, size_t rtpLen, uint8_t* srtp, size_t* srtpLen, size_t /*mkiIndex*/)
{
	const auto protect = [](srtp_t ctx, uint8_t* packet, int* len) { return srtp_protect(ctx, packet, len); };

	return klieg::srtp_from_to(protect, session, rtp, rtpLen, srtp, srtpLen, SRTP_MAX_TRAILER_LEN);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* srtp, size_t srtpLen, uint8_t* rtp, size_t* rtpLen)
{
	const auto unprotect = [](srtp_t ctx, uint8_t* packet, int* len) { return srtp_unprotect(ctx, packet, len); };

	return klieg::srtp_from_to(unprotect, session, srtp, srtpLen, rtp, rtpLen, 0);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* rtcp, size_t rtcpLen, uint8_t* srtcp, size_t* srtcpLen, size_t /*mkiIndex*/)
{
	const auto protect = [](srtp_t ctx, uint8_t* packet, int* len) { return srtp_protect_rtcp(ctx, packet, len); };

	return klieg::srtp_from_to(protect, session, rtcp, rtcpLen, srtcp, srtcpLen, SRTP_MAX_TRAILER_LEN + sizeof(uint32_t));
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* srtcp, size_t srtcpLen, uint8_t* rtcp, size_t* rtcpLen)
{
	const auto unprotect = [](srtp_t ctx, uint8_t* packet, int* len) { return srtp_unprotect_rtcp(ctx, packet, len); };

	return klieg::srtp_from_to(unprotect, session, srtcp, srtcpLen, rtcp, rtcpLen, 0);
}

#define srtp_policy_t klieg_srtp_policy_t
