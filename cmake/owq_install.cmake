# SPDX-License-Identifier: Apache-2.0
# Install and package rules: programs in bin, private libraries in lib/owq.
